package spec

import "strings"

// Namespace is the word that everything of a project is called by outside its checkout:
// variables, labels, volumes, image tags, the cache folder, folders in containers. It is
// made of lower-case letters, digits and hyphens, and begins with a letter. Where it is
// not set, it is the project's name.
type Namespace string

// Variable is the name of an environment variable: TCAPFLOW_CACHE for "CACHE".
func (n Namespace) Variable(name string) string {
	return strings.ToUpper(strings.ReplaceAll(string(n), "-", "_")) + "_" + name
}

// Label is the key of a label: dev.tcapflow.checkout for "checkout".
func (n Namespace) Label(name string) string { return "dev." + string(n) + "." + name }
