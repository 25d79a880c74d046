# One IAM role and one bucket that keep wallets apart: a session carries its wallet as a session tag, the trust policy
# lets no session in without it, and the bucket policy gives a session its own prefix and fences it in.

locals {
  provider_arn = (
    var.create_oidc_provider
    ? aws_iam_openid_connect_provider.broker[0].arn
    : "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${trimprefix(var.issuer, "https://")}"
  )
  bucket = var.create_bucket ? aws_s3_bucket.wallets[0].id : var.bucket_name
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_iam_openid_connect_provider" "broker" {
  count = var.create_oidc_provider ? 1 : 0

  url             = var.issuer
  client_id_list  = concat([var.audience], var.other_audiences)
  thumbprint_list = length(var.thumbprints) == 0 ? null : [for thumbprint in var.thumbprints : lower(thumbprint)]
  tags            = var.tags
}

# The trust policy and the bucket policy are rendered apart, because each needs the other's resources: the role needs
# the trust policy, the bucket policy needs the role.
module "policies" {
  source = "./policies"

  partition        = data.aws_partition.current.partition
  provider_arn     = local.provider_arn
  audience         = var.audience
  subject_pattern  = var.subject_pattern
  source_identity  = var.allow_source_identity
  pin_role         = var.pin_role
  role_arn         = aws_iam_role.wallet.arn
  bucket           = local.bucket
  object_actions   = var.object_actions
  revoked_sessions = var.revoked_sessions
}

resource "aws_iam_role" "wallet" {
  name                 = var.role_name
  description          = "Assumed by every wallet through the agentkeys edge broker. It carries no S3 grant: the bucket's policy gives each wallet its own prefix."
  assume_role_policy   = module.policies.trust
  max_session_duration = var.max_session_duration
  tags                 = var.tags

  lifecycle {
    # The provider's default_tags reach the role as well, and a tag of the role counts as a tag of its sessions.
    postcondition {
      condition     = !contains([for key in keys(self.tags_all) : lower(key)], "agentkeys_user_wallet")
      error_message = "The role must not be tagged agentkeys_user_wallet: it would count as every session's wallet. Take it out of the provider's default_tags."
    }
  }
}

resource "aws_iam_role_policy" "revoked" {
  count = length(var.revoked_sessions) == 0 ? 0 : 1

  role   = aws_iam_role.wallet.name
  name   = "agentkeys-revoked-sessions"
  policy = module.policies.revoked
}

resource "aws_iam_role_policy_attachment" "additional" {
  for_each = toset(var.additional_policy_arns)

  role       = aws_iam_role.wallet.name
  policy_arn = each.value
}

# A broad grant left on the role is how isolation gets lost without a sound. These two own the list of what the role
# carries: a policy that somebody adds shows up in the next plan, and the next apply takes it off.
resource "aws_iam_role_policies_exclusive" "wallet" {
  role_name    = aws_iam_role.wallet.name
  policy_names = aws_iam_role_policy.revoked[*].name
}

resource "aws_iam_role_policy_attachments_exclusive" "wallet" {
  role_name   = aws_iam_role.wallet.name
  policy_arns = [for attachment in aws_iam_role_policy_attachment.additional : attachment.policy_arn]
}

resource "aws_s3_bucket" "wallets" {
  count = var.create_bucket ? 1 : 0

  bucket        = var.bucket_name
  force_destroy = var.force_destroy
  tags          = var.tags
}

# No ACL can hand an object to somebody else, and nothing can be made public.
resource "aws_s3_bucket_ownership_controls" "wallets" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.wallets[0].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "wallets" {
  count = var.create_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.wallets[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "wallets" {
  count = var.manage_bucket_policy ? 1 : 0

  bucket = local.bucket
  policy = module.policies.bucket

  # S3 refuses to work on the policy and on the access block of one bucket at the same time.
  depends_on = [aws_s3_bucket_public_access_block.wallets]
}
