output "trust" {
  description = "Trust policy of the role, JSON."
  value       = jsonencode(local.trust)
}

output "bucket" {
  description = "Bucket policy, JSON."
  value       = jsonencode(local.bucket)
}

output "revoked" {
  description = "Inline policy that ends the sessions of revoked_sessions, JSON; null where there are none."
  value       = length(var.revoked_sessions) == 0 ? null : jsonencode(local.revoked)
}
