package terraformtest

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const versions = `terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}
`

const variables = `
variable "vpc_id" {
  description = "The VPC."
  type        = string
  default     = "vpc-1"
  nullable    = false
}
`

const outputs = `
output "arn" {
  description = "Its ARN."
  value       = aws_lb_target_group.this.arn
}
`

const module = `
resource "aws_lb_target_group" "this" {
  port     = 2379
  protocol = "TCP"
  vpc_id   = var.vpc_id

  health_check {
    port = "2381"
  }
}
`

const testFile = `
mock_provider "aws" {}

run "port" {
  command = plan

  assert {
    condition     = aws_lb_target_group.this.port == 2379
    error_message = "port"
  }
}
`

// example is a module in which some words are replaced by others.
func example(words, others string) map[string]string {
	files := map[string]string{
		"versions.tf": versions, "variables.tf": variables, "outputs.tf": outputs, "main.tf": module, "tests/port.tftest.hcl": testFile,
	}
	for name, text := range files {
		if name != "tests/port.tftest.hcl" {
			files[name] = strings.Replace(text, words, others, 1)
		}
	}
	return files
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		write(t, filepath.Join(dir, name), []byte(text))
	}
}

// Both oracles accept what is right, and find what the schema says is wrong.
func TestOracles(t *testing.T) {
	tf := Start(t)
	tests := []struct {
		name, old, new string
		check          string // what Check says; "" where only Terraform can know
		terraform      string // what Terraform says
	}{
		{"as it is", "", "", "", ""},
		{"a variable elsewhere", "resource \"aws", "variable \"x\" {\n  description = \"X.\"\n  type        = string\n  default     = \"\"\n  nullable    = false\n}\n\nresource \"aws", "stands in main.tf", ""},
		{"unknown argument", "port     = 2379", "part     = 2379", "has no argument part", "Unsupported argument"},
		{"unknown block", "health_check {", "check {", "has no block check", "Unsupported block type"},
		{"computed argument", "port     = 2379", "arn      = 2379", "has no argument arn", "Value for unconfigurable attribute"},
		{"list for a number", "port     = 2379", "port     = []", "is of type", "Inappropriate value for attribute"},
		{"word for a number", "port     = 2379", `port     = "http"`, "", "Inappropriate value for attribute"},
		{"undeclared variable", "var.vpc_id", "var.vpc", "var.vpc is nowhere declared", "Reference to undeclared input variable"},
		{"undeclared resource", "aws_lb_target_group.this.arn", "aws_lb.this.arn", "aws_lb.this is nowhere declared", "Reference to undeclared resource"},
		{"unknown attribute", "this.arn", "this.urn", "has no attribute urn", "Unsupported attribute"},
		{"unknown resource", `"aws_lb_target_group" "this"`, `"aws_lb_target_groups" "this"`, "has no aws_lb_target_groups", "Invalid resource type"},
		{"argument of the next major", `vpc_id   = var.vpc_id`, "vpc_id   = var.vpc_id\n  region   = \"eu-west-1\"", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := example(tt.old, tt.new)
			problems := Check(files)
			if !mentions(problems, tt.check) {
				t.Errorf("Check says %q, want %q", problems, tt.check)
			}
			dir := t.TempDir()
			writeAll(t, dir, files)
			tf.Init(t, dir)
			out, err := tf.try(dir, "validate", "-json")
			if (err != nil) != (tt.terraform != "") || !bytes.Contains(out, []byte(tt.terraform)) {
				t.Errorf("terraform says %s, want %q", out, tt.terraform)
			}
			if err == nil {
				tf.Run(t, dir, "test", "-json")
			}
		})
	}
}

// An older major refuses what only a later one has.
func TestMajors(t *testing.T) {
	older := example("port     = 2379", "port     = 2379\n  region   = \"eu-west-1\"")
	older["versions.tf"] = strings.Replace(versions, ">= 6.0, < 7.0", ">= 5.73, < 6.0", 1)
	if problems := Check(older); !mentions(problems, "has no argument region") {
		t.Errorf("Check says %q", problems)
	}
	if problems := Check(example(">= 6.0, < 7.0", "~> 6.0")); !mentions(problems, "is none that is known") {
		t.Errorf("Check says %q", problems)
	}
	tf := Start(t)
	dir := t.TempDir()
	writeAll(t, dir, older)
	tf.Init(t, dir)
	if out, err := tf.try(dir, "validate", "-json"); err == nil || !bytes.Contains(out, []byte("Unsupported argument")) {
		t.Errorf("terraform says %s", out)
	}
}

// mentions reports whether a problem holds some words; "" stands for no problem at all.
func mentions(problems []string, words string) bool {
	if words == "" {
		return len(problems) == 0
	}
	return slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, words) })
}

// What is planned is what is asked for, what the cloud decides is known after the apply, and then nothing is left to do.
func TestApply(t *testing.T) {
	tf := Start(t)
	dir := t.TempDir()
	writeAll(t, dir, example("", ""))
	tf.Apply(t, dir)
	if changes := tf.Plan(t, dir); len(changes) > 0 {
		t.Errorf("after an apply the plan still has %v", changes)
	}
	writeAll(t, dir, example("2379", "2380"))
	if changes := tf.Plan(t, dir); len(changes) != 1 || changes["aws_lb_target_group.this"] != "update" {
		t.Errorf("another port plans %v", changes)
	}
}
