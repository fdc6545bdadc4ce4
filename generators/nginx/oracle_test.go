package nginx

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nginxinc/nginx-go-crossplane"
)

// Where Debian keeps the modules; the package's prefix links to it.
const moduleFolder = "/usr/lib/nginx/modules"

// TestNginxAccepts asks NGINX itself: whole files as they are, fragments inside a foreign nginx.conf.
func TestNginxAccepts(t *testing.T) {
	bin, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, s := range samples() {
		if s.topology.Proxies[0].Platform == plus {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			a := write(t, s)
			prefix := nginxPrefix(t)
			main := filepath.Join(prefix, "nginx.conf")
			text := string(a.Data)
			if s.output == "fragment" {
				put(t, filepath.Join(prefix, "stream.d", "etcd-prod.conf"), within(prefix, text))
				text = foreign
			}
			put(t, main, within(prefix, text))
			out, err := alone(bin, "-t", "-p", prefix, "-c", main, "-e", filepath.Join(prefix, "start.log"),
				"-g", "user root;").CombinedOutput() // the only user there is
			if err != nil || bytes.Contains(out, []byte("[warn]")) {
				t.Errorf("nginx -t: %v\n%s\n%s", err, out, a.Data)
			}
		})
	}
}

// alone runs a command in a network namespace of its own, where every port is free and, as on a standby machine that must
// take over the VIP, addresses of others can be bound: nginx -t binds what it is told to listen on. It also gives its
// folders below /var/lib to the user of its workers, hence one of its own.
func alone(command ...string) *exec.Cmd {
	const setup = `mount -t tmpfs none /var/lib/nginx; ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind && exec "$@"`
	return exec.Command("unshare", append([]string{"--map-root-user", "--net", "--mount", "sh", "-c", setup, "sh"}, command...)...)
}

// foreign is an nginx.conf that serves other things, with settings that a fragment must not inherit.
const foreign = `load_module modules/ngx_stream_module.so;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 512; }
http {
    access_log /var/log/nginx/access.log;
    server { listen 127.0.0.1:8080; location / { return 204; } }
}
stream {
    proxy_ssl on;
    proxy_protocol on;
    upstream other { server 127.0.0.1:5432; }
    server { listen 127.0.0.1:6432; proxy_pass other; }
    include stream.d/*.conf;
}
`

// nginxPrefix is a folder that NGINX can live in.
func nginxPrefix(t *testing.T) string {
	t.Helper()
	prefix := t.TempDir()
	for _, dir := range []string{"logs", "stream.d"} {
		if err := os.Mkdir(filepath.Join(prefix, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(moduleFolder, filepath.Join(prefix, "modules")); err != nil {
		t.Fatal(err)
	}
	return prefix
}

// within moves the files that NGINX writes, even for a test of its configuration, below the prefix.
func within(prefix, text string) string {
	return strings.NewReplacer("/var/log/nginx/", prefix+"/logs/", "/run/nginx.pid", prefix+"/nginx.pid").Replace(text)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPlusAccepts checks names, places and arguments of all directives against those that NGINX Plus has.
func TestPlusAccepts(t *testing.T) {
	for _, s := range samples() {
		if s.topology.Proxies[0].Platform != plus {
			continue
		}
		a := write(t, s)
		text := string(a.Data)
		if s.output == "fragment" {
			text = "events { }\nstream {\n" + text + "}\n"
		}
		payload, err := strict(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range payload.Errors {
			t.Errorf("%s: %v\n%s", s.name, e.Error, text)
		}
	}
	if payload, err := strict("events { }\nstream { health_chekc; }\n"); err != nil || len(payload.Errors) != 1 {
		t.Errorf("the oracle accepts anything: %v, %v", payload, err)
	}
}

func strict(text string) (*crossplane.Payload, error) {
	return crossplane.Parse("nginx.conf", &crossplane.ParseOptions{
		SingleFile:               true,
		ErrorOnUnknownDirectives: true,
		DirectiveSources:         []crossplane.MatchFunc{crossplane.MatchNginxPlusLatest},
		Open:                     func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	})
}
