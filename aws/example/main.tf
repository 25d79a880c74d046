# A whole deployment: the account trusts the broker, and every wallet gets its own prefix of one bucket.
#
#   terraform init
#   terraform apply -var issuer=https://broker.example.com -var bucket=NAME
#   terraform output

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "issuer" {
  description = "The broker's ISSUER."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket to create."
  type        = string
}

variable "region" {
  type    = string
  default = "us-east-1"
}

provider "aws" {
  region = var.region
}

module "agentkeys" {
  source = "../"

  issuer      = var.issuer
  bucket_name = var.bucket
}

output "issuer" {
  value = module.agentkeys.issuer
}

output "audience" {
  value = module.agentkeys.audience
}

output "role_arn" {
  value = module.agentkeys.role_arn
}

output "bucket" {
  value = module.agentkeys.bucket
}

output "region" {
  value = module.agentkeys.region
}
