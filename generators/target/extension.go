package target

import (
	"path"
	"slices"
	"strings"
)

// templates are endings of files that become a configuration when a template engine has been over them.
var templates = []string{".j2", ".jinja", ".jinja2", ".erb", ".epp", ".tpl", ".tftpl", ".tmpl", ".template", ".in"}

// Extension is the extension of a file's name, without the ending of a template.
func Extension(file string) string {
	base := path.Base(file)
	if ext := path.Ext(base); slices.Contains(templates, ext) {
		base = strings.TrimSuffix(base, ext)
	}
	return path.Ext(base)
}
