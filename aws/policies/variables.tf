# What the templates need. The values are checked where people enter them: in the variables of the module above.

variable "partition" {
  type    = string
  default = "aws"
}

variable "provider_arn" {
  description = "ARN of the IAM OIDC provider; what follows oidc-provider/ is the prefix of its condition keys."
  type        = string
}

variable "audience" {
  type    = string
  default = "sts.amazonaws.com"
}

variable "subject_pattern" {
  type    = string
  default = "agentkeys:agent:0x*"
}

variable "source_identity" {
  type    = bool
  default = false
}

variable "pin_role" {
  type    = bool
  default = false
}

variable "role_arn" {
  type = string
}

variable "bucket" {
  type = string
}

variable "object_actions" {
  type = list(string)
}

variable "revoked_sessions" {
  type    = map(string)
  default = {}
}
