// Where the policies under test come from: every table runs on what Terraform renders and on what the script for users
// of the AWS CLI writes. Without Terraform the first half is skipped and says so.

import { renderWithScript, renderWithTerraform } from './render.mjs';
import { temporaryDirectory } from './run.mjs';
import { noTerraform } from './terraform.mjs';

export const sources = [
  { name: 'rendered by Terraform', skip: noTerraform, render: (t, options) => renderWithTerraform(temporaryDirectory(t), options) },
  { name: 'rendered by the script', skip: false, render: (t, options) => renderWithScript(temporaryDirectory(t), options) },
];
