package nginx

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// templates are endings of files that become a configuration when a template engine has been over them.
var templates = []string{".j2", ".tpl", ".tftpl", ".tmpl", ".template", ".erb", ".in", ".sample", ".example", ".dist"}

var (
	remarks   = pattern.New(`#[^\n]*`)
	mainShape = pattern.New(`(?m)^\s*(stream|events)\s*\{`)
	partShape = pattern.New(`(?m)^\s*(upstream\s+\S+|server|location\s[^;{}\n]*)\s*\{`)
	statement = pattern.New(`(?m)(?:^|[{;])\s*(?:listen|server|proxy_pass|grpc_pass)\s[^;{}\n]*;`) // other formats have servers in braces, too
	etcds     = pattern.New(`\b(2379|2380)\b|etcd`)
	webShape  = pattern.New(`(^|[\s;{])(` + strings.Join(webWords, "|") + `)\s|proxy_pass\s+https?:|(^|[\s;{])http\s*\{`)
)

// webWords are directives that stand in servers of an http block only, in nearly each of them.
var webWords = []string{"location", "server_name", "root", "index", "try_files", "grpc_pass", "fastcgi_pass", "add_header"}

// detect knows an nginx.conf by its name and other files by a stream block, or by content for one; content for an http
// block only where etcd is in it.
func detect(file string, head []byte) bool {
	base := path.Base(filepath.ToSlash(file))
	for _, t := range templates {
		base = strings.TrimSuffix(base, t)
	}
	if base == "nginx.conf" {
		return true
	}
	if ext := path.Ext(base); ext != ".conf" && ext != ".nginx" && ext != "" {
		return false
	}
	text := remarks.ReplaceAllString(string(head), "")
	if mainShape.MatchString(text) {
		return true
	}
	return partShape.MatchString(text) && statement.MatchString(text) && (!webShape.MatchString(text) || etcds.MatchString(text))
}

// mainWords are directives of the main context.
var mainWords = []string{
	"events", "stream", "http", "mail", "user", "pid", "load_module", "worker_processes", "worker_rlimit_nofile",
	"worker_shutdown_timeout",
}

// partOf is the block that top-level directives are meant for the inside of, "stream" or "http"; "" for none.
func partOf(nodes []*node) string {
	part := ""
	for _, n := range nodes {
		switch {
		case slices.Contains(mainWords, n.name.text):
			return ""
		case isWeb(n), n.name.text == "location":
			part = "http"
		case part == "" && n.hasBlock && (n.name.text == "server" || n.name.text == "upstream"):
			part = "stream"
		}
	}
	return part
}

// isWeb reports whether a block belongs to an http block.
func isWeb(n *node) bool {
	return slices.ContainsFunc(n.block, func(c *node) bool {
		to := c.arg()
		return slices.Contains(webWords, c.name.text) ||
			c.name.text == "proxy_pass" && (strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://"))
	})
}
