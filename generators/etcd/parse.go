package etcd

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var (
	// Keys of etcd's configuration, at the beginning of a line: a file of variables has them with underscores.
	hasKeys = pattern.New(`(?m)^"?(listen-(client|peer|metrics)-urls|advertise-client-urls|initial-advertise-peer-urls|(client|peer)-transport-security)"?:`)
	// Container Linux had them in its cloud-config.
	hasCoreOS = pattern.New(`(?m)^coreos:`)
	hasInner  = pattern.New(`(?m)^\s+(listen-(client|peer)-urls|advertise-client-urls|initial-advertise-peer-urls):`)
	hasKind   = pattern.New(`(?m)^(apiVersion|kind):`)
	// A unit starts something, or gives it variables.
	hasExec     = pattern.New(`(?m)^\s*Exec[A-Z][A-Za-z]*\s*=`)
	hasProgram  = pattern.New(`(?m)(^|[/\s"'=@-])(etcd|etcdctl|kube-apiserver)([\s"'\\]|$)`)
	hasUnitVars = pattern.New(`(?m)^\s*Environment\s*=.*\bETCD(CTL)?_`)
	// Variables that only etcd itself reads; others have variables of its clients.
	hasVars = pattern.New(`(?m)^\s*(export\s+)?(ETCD_(NAME|DATA_DIR|LISTEN_[A-Z_]+|ADVERTISE_CLIENT_URLS|INITIAL_[A-Z_]+|CLIENT_CERT_AUTH)|ETCDCTL_INSECURE_SKIP_TLS_VERIFY)=`)

	// A variable may hold the flags of a command line: those that only etcd has, and that only kube-apiserver has.
	assignsFlags = pattern.New(`^\s*(?:export\s+|Environment\s*=\s*["']?)?([A-Z][A-Z0-9_]*)=["']?\s*(-{1,2}[a-z]|$)`)
	serverFlag   = pattern.New(`^--?(listen-(client|peer)-urls|advertise-client-urls|initial-advertise-peer-urls)\b`)
	serverVar    = pattern.New(`^ETCD_(LISTEN_(CLIENT|PEER)_URLS|ADVERTISE_CLIENT_URLS|INITIAL_ADVERTISE_PEER_URLS)$`)
	storeFlag    = pattern.New(`^--?etcd[-_]servers\b`)
	hasFlags     = pattern.New(`(?m)^\s*(?:export\s+)?[A-Z][A-Z0-9_]*=["']?\s*(\\\s*\n\s*)?(-{1,2}[^\n]*(\\\n[^\n]*)*)?--?(listen-(client|peer)-urls|advertise-client-urls|initial-advertise-peer-urls|etcd[-_]servers)\b`)

	// What environment files and units are called; a script is neither.
	envs  = []string{"", ".env", ".conf", ".cfg", ".default", ".defaults", ".sysconfig", ".environment", ".etcd"}
	units = []string{"", ".service", ".conf"}
)

// form is one of the ways to configure etcd.
type form func(f target.File, facts *process.Facts) diag.List

func detect(file string, head []byte) bool { return formOf(file, target.Dedent(head)) != nil }

func formOf(file string, head []byte) form {
	ext := target.Extension(file)
	switch {
	case ext == ".yaml" || ext == ".yml" || ext == ".json":
		if hasKeys.Match(head) && !hasKind.Match(head) || hasCoreOS.Match(head) && hasInner.Match(head) {
			return configuration
		}
		if hasService.Match(head) && hasServer.Match(head) && !hasKind.Match(head) {
			return compose
		}
	case isScript(file, head):
		return script
	case slices.Contains(units, ext) && (hasExec.Match(head) && hasProgram.Match(head) || hasUnitVars.Match(head)):
		return unit
	case slices.Contains(envs, ext) && (hasVars.Match(head) || hasFlags.Match(head)):
		return environment
	case slices.Contains(envs, ext) && hasKeys.Match(head):
		return configuration
	}
	return nil
}

func parse(src target.Source) (*topology.Topology, diag.List) {
	t := &topology.Topology{Format: name, Span: diag.Span{File: src.Path}}
	var facts process.Facts
	var diags diag.List
	for _, f := range src.Files {
		read := formOf(cmp.Or(f.As, f.Path), target.Dedent(f.Data))
		if read == nil { // its name says nothing, what masking left of it neither
			continue
		}
		facts.Written, facts.Branches = f.At, f.Branches()
		diags = append(diags, read(f, &facts)...)
	}
	facts.Fill(t)
	return t, diags
}

// configuration reads the file of --config-file.
func configuration(f target.File, facts *process.Facts) diag.List {
	y, diags := target.ParseYAML(f, "etcd")
	for _, root := range y.Roots {
		for _, name := range []string{"etcd2", "etcd"} {
			if inner := target.Field(root, "coreos", name); inner != nil {
				root = inner
			}
		}
		settings := mapping(y, root, "")
		settings = append(settings, mapping(y, target.Field(root, "client-transport-security"), "")...)
		settings = append(settings, mapping(y, target.Field(root, "peer-transport-security"), "peer-")...)
		facts.Etcd(settings, y.Span(root))
	}
	return diags
}

// mapping are the scalars of a mapping as settings.
func mapping(y *target.YAML, n *yaml.Node, prefix string) process.Settings {
	var out process.Settings
	if n = target.Resolve(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := y.Text(n.Content[i+1]); v.Known() && v.V != "" {
			out = append(out, process.Setting{Name: prefix + n.Content[i].Value, Value: v})
		}
	}
	return out
}
