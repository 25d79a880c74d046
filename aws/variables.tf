# The issuer and what may be asked of it.

variable "issuer" {
  description = "Issuer URL of the broker, byte for byte what its tokens carry as `iss` (the broker's ISSUER)."
  type        = string

  validation {
    condition     = startswith(var.issuer, "https://")
    error_message = "issuer must start with https:// (AWS fetches the keys over TLS only)."
  }
  validation {
    condition     = length(var.issuer) <= 255
    error_message = "issuer must be at most 255 characters, the limit of an IAM OIDC provider URL."
  }
  validation {
    condition     = !can(regex("[?#]", var.issuer))
    error_message = "issuer must have no query and no fragment."
  }
  validation {
    condition     = !endswith(var.issuer, "/")
    error_message = "issuer must not end with a slash: AWS compares it with `iss` byte for byte."
  }
  validation {
    condition     = !can(regex("^https?://[^/?#]*:", var.issuer))
    error_message = "issuer must have no port: an IAM OIDC provider is reached on 443."
  }
  validation {
    condition     = !can(regex("^https?://[^/?#]*@", var.issuer))
    error_message = "issuer must have no user name or password."
  }
  validation {
    condition     = can(regex("^https?://([0-9a-z]([0-9a-z-]*[0-9a-z])?\\.)*[0-9a-z]([0-9a-z-]*[0-9a-z])?([:/?#]|$)", replace(var.issuer, "/^(https?:\\/\\/)[^/?#]*@/", "$1")))
    error_message = "issuer must have a host name in lower case: letters, digits, dots and hyphens."
  }
  validation {
    condition     = can(regex("^[^/]*//[^/]*(/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)*/?$", replace(var.issuer, "/[?#].*$/", "")))
    error_message = "issuer's path may have letters, digits and . _ ~ - only, no empty part, and no part that starts with a dot."
  }
}

variable "create_oidc_provider" {
  description = "Register the issuer with IAM. An account holds one provider for each issuer: set false where it has one already (for a second role, say)."
  type        = bool
  default     = true
}

variable "audience" {
  description = "Audience that the role accepts; the broker's AUDIENCES must have it."
  type        = string
  default     = "sts.amazonaws.com"

  validation {
    condition     = can(regex("^[0-9A-Za-z._~:/@+=,-]{1,255}$", var.audience))
    error_message = "audience must be 1 to 255 of letters, digits and . _ ~ : / @ + = , - (a wildcard or a policy variable would widen the trust policy)."
  }
}

variable "other_audiences" {
  description = "Further audiences to register with the provider, for other roles of the account. This role does not accept them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for audience in var.other_audiences : can(regex("^[0-9A-Za-z._~:/@+=,-]{1,255}$", audience))])
    error_message = "other_audiences must each be 1 to 255 of letters, digits and . _ ~ : / @ + = , -."
  }
  validation {
    condition     = length(var.other_audiences) <= 99
    error_message = "other_audiences may have 99 entries: a provider registers 100 audiences, and audience is one of them."
  }
  validation {
    condition     = length(distinct(concat([var.audience], var.other_audiences))) == 1 + length(var.other_audiences)
    error_message = "other_audiences must not repeat an entry, nor name audience again."
  }
}

variable "thumbprints" {
  description = "SHA-1 thumbprints of the issuer's certificate chain. Only for a certificate whose CA AWS does not trust; leave empty otherwise."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.thumbprints) <= 5
    error_message = "thumbprints may have at most 5 entries."
  }
  validation {
    condition     = alltrue([for thumbprint in var.thumbprints : can(regex("^[0-9a-fA-F]{40}$", thumbprint))])
    error_message = "thumbprints must each be exactly 40 hex digits, without colons."
  }
}

# The role.

variable "role_name" {
  description = "Name of the role that every wallet assumes."
  type        = string
  default     = "agentkeys-wallet"

  validation {
    condition     = can(regex("^[0-9A-Za-z_+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must be 1 to 64 of letters, digits and _ + = , . @ -."
  }
}

variable "max_session_duration" {
  description = "Longest AWS session, in seconds. Ending a broker session does not end an AWS session already issued, so keep it short."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200 && floor(var.max_session_duration) == var.max_session_duration
    error_message = "max_session_duration must be a whole number of seconds from 3600 to 43200, the limits of an IAM role."
  }
}

variable "subject_pattern" {
  description = "What `sub` must look like, `*` and `?` being wildcards: one wallet's full subject pins the role to it. Null: `sub` is not looked at."
  type        = string
  default     = "agentkeys:agent:0x*"

  validation {
    condition     = var.subject_pattern == null ? true : can(regex("^agentkeys:agent:0x([0-9a-f?]{40}|[0-9a-f?]{0,39}\\*)$", var.subject_pattern))
    error_message = "subject_pattern must be agentkeys:agent:0x and 40 lower-case hex digits (or ?), or fewer with * at the end; or null."
  }
}

variable "allow_source_identity" {
  description = "Let a token set the session's source identity. Without it, STS refuses a token that carries one."
  type        = bool
  default     = false
}

variable "pin_role" {
  description = "Accept only tokens that name this role in the claim https://aws.amazon.com/roles."
  type        = bool
  default     = false
}

variable "additional_policy_arns" {
  description = "Managed policies that the role may carry, for services other than S3 (a KMS key of the bucket, say). Any other policy found on the role is taken off by the next apply."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.additional_policy_arns : can(regex("^arn:[a-z-]+:iam::(aws|[0-9]{12}):policy/", arn))])
    error_message = "additional_policy_arns must each be the ARN of a managed policy: arn:aws:iam::ACCOUNT:policy/NAME."
  }
}

variable "revoked_sessions" {
  description = "AWS sessions to end: for each wallet, the UTC time before which its sessions were issued (RFC 3339, ending in Z)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for wallet in keys(var.revoked_sessions) : can(regex("^0x[0-9a-f]{40}$", wallet))])
    error_message = "revoked_sessions: a wallet is 0x and 40 lower-case hex digits."
  }
  validation {
    condition     = alltrue([for time in values(var.revoked_sessions) : can(regex("Z$", time)) && can(timeadd(time, "0s"))])
    error_message = "revoked_sessions: a time looks like 2026-01-31T12:00:00Z."
  }
}

# The bucket.

variable "bucket_name" {
  description = "Bucket that holds every wallet's objects under the wallet's own prefix."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name)) && !can(regex("\\.\\.", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 of lower-case letters, digits, dots and hyphens, with a letter or digit at both ends and no two dots together."
  }
  validation {
    condition     = !can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$", var.bucket_name))
    error_message = "bucket_name must not look like an IP address."
  }
}

variable "create_bucket" {
  description = "Create the bucket. False: it is there already, in the provider's region."
  type        = bool
  default     = true
}

variable "manage_bucket_policy" {
  description = "Set the bucket's policy. It replaces the policy that is there: set false to merge the output `bucket_policy` into one of your own."
  type        = bool
  default     = true
}

variable "object_actions" {
  description = "What a wallet may do with its own objects. Leave some out, for agents that only read, say; listing has a statement of its own."
  type        = list(string)
  default     = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]

  validation {
    condition     = length(var.object_actions) > 0
    error_message = "object_actions must not be empty."
  }
  validation {
    condition = alltrue([for action in var.object_actions : contains(
      ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"], action
    )])
    error_message = "object_actions may only have s3:AbortMultipartUpload, s3:DeleteObject, s3:GetObject, s3:ListMultipartUploadParts and s3:PutObject."
  }
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete a bucket that still has objects."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags on everything the module creates."
  type        = map(string)
  default     = {}

  validation {
    condition     = !contains([for key in keys(var.tags) : lower(key)], "agentkeys_user_wallet")
    error_message = "tags must not have agentkeys_user_wallet, in any case: a tag on the role counts as every session's tag, so each of them would be that one wallet."
  }
}
