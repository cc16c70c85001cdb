// Package pipeline is the ordered list of what the mage targets do: each file is a job,
// each line of it a stage, each stage a package below this one.
//
//	arguments + environment → options
//	build.Project, build.Targets → plan → image → builder → elfcheck → artifact → out/
//	out/ → release → dist/ → distro
//
// static.go builds, verify.go checks, release.go packs, distros.go proves, clean.go frees.
package pipeline
