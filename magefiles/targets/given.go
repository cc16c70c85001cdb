package targets

import "strings"

// flagOf is the value of an option that was perhaps not given.
func flagOf(f *bool) bool { return f != nil && *f }

// listOf splits an option at its commas; an option that was not given is empty.
func listOf(s *string) []string {
	if s == nil || *s == "" {
		return nil
	}
	return strings.Split(*s, ",")
}

// textOf is the value of an option that was perhaps not given.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
