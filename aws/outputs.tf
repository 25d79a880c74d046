# What the broker's tools read: `check --issuer --audience --role`, `prove --role-arn --bucket --region`.

output "issuer" {
  description = "Issuer URL, the broker's ISSUER."
  value       = var.issuer
}

output "audience" {
  description = "Audience that the role accepts."
  value       = var.audience
}

output "role_arn" {
  description = "ARN of the role to assume."
  value       = aws_iam_role.wallet.arn
}

output "role_name" {
  description = "Name of the role, for `aws iam put-role-policy` when sessions are revoked."
  value       = aws_iam_role.wallet.name
}

output "bucket" {
  description = "Name of the bucket."
  value       = local.bucket
}

output "region" {
  description = "Region of the bucket."
  value       = data.aws_region.current.name
}

output "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider."
  value       = local.provider_arn
}

output "trust_policy" {
  description = "The role's trust policy, JSON."
  value       = module.policies.trust
}

output "bucket_policy" {
  description = "The bucket's policy, JSON; to merge by hand where manage_bucket_policy is false."
  value       = module.policies.bucket
}
