# Renders the policy templates beside this file. It has no provider and no resource: the same text comes out whatever
# applies it, so the tests can judge it without AWS, and `render` (for users of the AWS CLI) can be compared with it.
#
# A template is the fullest form of its policy. What is not asked for is taken out; nothing is ever put in.

terraform {
  required_version = ">= 1.9"
}

# Each template is split into placeholders and the text between them, and every piece is looked up once, so that a value
# which happens to look like a placeholder is not filled in a second time. The two policies share no local value: the
# role needs the one, and the other needs the role.
locals {
  piece = "@[A-Z_]+@|[^@]+|@"

  trust_values = {
    "@PROVIDER_ARN@" = var.provider_arn
    "@PROVIDER@"     = replace(var.provider_arn, "/^.*:oidc-provider\\//", "")
    "@AUDIENCE@"     = var.audience
    "@SUBJECT@"      = var.subject_pattern == null ? "" : var.subject_pattern
  }
  trust_filled = jsondecode(join("", [
    for piece in regexall(local.piece, file("${path.module}/trust.json")) : lookup(local.trust_values, piece, piece)
  ]))

  bucket_values = {
    "@PARTITION@" = var.partition
    "@ROLE_ARN@"  = var.role_arn
    "@BUCKET@"    = var.bucket
  }
  bucket_filled = jsondecode(join("", [
    for piece in regexall(local.piece, file("${path.module}/bucket.json")) : lookup(local.bucket_values, piece, piece)
  ]))

  trust = merge(local.trust_filled, {
    Statement = [for statement in local.trust_filled.Statement : merge(statement, {
      Action = [for action in statement.Action : action if action != "sts:SetSourceIdentity" || var.source_identity]
      Condition = {
        for operator, keys in statement.Condition : operator => {
          for key, value in keys : key => value if !endswith(key, ":sub") || var.subject_pattern != null
        } if operator != "Bool" || var.pin_role
      }
    })]
  })

  bucket = merge(local.bucket_filled, {
    Statement = [for statement in local.bucket_filled.Statement : merge(statement, {
      Action = [for action in statement.Action : action if statement.Sid != "OwnObjects" || contains(var.object_actions, action)]
    })]
  })

  # One statement for each wallet whose sessions are revoked, every one from the same template.
  revocations = [for wallet, time in var.revoked_sessions : jsondecode(
    replace(replace(file("${path.module}/revoke-session.json"), "@WALLET@", wallet), "@TIME@", time)
  )]
  revoked = {
    Version   = "2012-10-17"
    Statement = [for policy in local.revocations : { for k, v in policy.Statement[0] : k => v if k != "Sid" }]
  }
}
