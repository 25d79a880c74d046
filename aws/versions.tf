terraform {
  # 1.9: a variable's validation may read another variable.
  required_version = ">= 1.9"

  required_providers {
    # 5.100.0 is what tests/aws runs.
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
