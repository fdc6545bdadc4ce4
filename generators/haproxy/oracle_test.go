package haproxy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// program finds HAProxy. Where it is not installed the test is skipped, but never in CI.
func program(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("haproxy is not installed")
		}
		t.Fatal(err)
	}
	return path
}

// check lets HAProxy judge files, loaded in this order. A warning counts as a failure.
func check(t *testing.T, files ...string) {
	t.Helper()
	args := []string{"-c", "-dW"}
	for _, f := range files {
		args = append(args, "-f", f)
	}
	if out, err := exec.Command(program(t), args...).CombinedOutput(); err != nil {
		t.Errorf("haproxy %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// store writes a file into a folder.
func store(t *testing.T, folder, file string, data []byte) string {
	t.Helper()
	path := filepath.Join(folder, file)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certificates is a folder with a self-signed certificate, its key beside it, and itself as its CA.
func certificates(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	store(t, folder, "lb.crt", public)
	store(t, folder, "ca.crt", public)
	store(t, folder, "lb.crt.key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
	return folder
}

func TestHAProxyAccepts(t *testing.T) {
	certs := certificates(t)
	for _, s := range specs {
		t.Run(s.name, func(t *testing.T) {
			_, file := rendered(t, strings.ReplaceAll(s.spec, "/CERTS", certs))
			path := store(t, t.TempDir(), "50-etcd.cfg", file.Data)
			if strings.Contains(file.Path, "conf.d") {
				check(t, store(t, t.TempDir(), "00.cfg", []byte("global\n  log stdout format raw local0\n")), path)
				return
			}
			check(t, path)
		})
	}
}

// before and after are files of an haproxy that serves other things, around a fragment.
const (
	before = `global
  log stdout format raw local0
  stats socket %s/socket mode 600 level admin
defaults
  mode http
  log global
  timeout connect 7s
  timeout client 31s
  timeout server 32s
  timeout tunnel 33s
  balance first
  retries 5
  option httpchk HEAD /alive
  http-check expect status 204
  default-server ssl verify none inter 9s send-proxy
frontend web
  bind 127.0.0.1:%d
  default_backend apps
backend apps
  server app1 127.0.0.1:9 check
`
	after = `frontend late
  bind 127.0.0.1:%d
  default_backend late
backend late
  server app2 127.0.0.1:9 check
`
)

// TestFragmentBetweenForeignFiles: neither the fragment nor the files beside it may change what the other means.
func TestFragmentBetweenForeignFiles(t *testing.T) {
	first := target.Artifact{Path: "conf.d/10-web.cfg", Data: fmt.Appendf(nil, before, t.TempDir(), 8080)}
	last := target.Artifact{Path: "conf.d/90-late.cfg", Data: fmt.Appendf(nil, after, 8081)}
	for _, s := range specs {
		if !strings.Contains(s.spec, fragment) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			top, ours := rendered(t, strings.ReplaceAll(s.spec, "/CERTS", certificates(t)))
			here := t.TempDir()
			check(t, store(t, here, "10.cfg", first.Data), store(t, here, "50.cfg", ours.Data), store(t, here, "90.cfg", last.Data))

			together, _ := parse(source(first, ours, last))
			got := together.Proxies[0]
			foreign, _ := parse(source(first, last))
			want := foreign.Proxies[0]
			mine := topology.Restrict(top, name, Target.Facts).Proxies[0]
			for i := range mine.Listeners { // what a fragment alone cannot say: nothing asks for a password
				if mine.Listeners[i].Metrics {
					mine.Listeners[i].Authenticated = topology.DefaultAt(false, mine.Listeners[i].Span)
				}
			}
			want.Listeners = append(append(want.Listeners[:1:1], mine.Listeners...), want.Listeners[1:]...)
			want.Pools = append(append(want.Pools[:1:1], mine.Pools...), want.Pools[1:]...)
			if diff := cmp.Diff(want, got, facts); diff != "" {
				t.Errorf("loaded together (-apart +together):\n%s", diff)
			}
		})
	}
}

// TestForeignModes asks a running HAProxy how it understood the three files. `haproxy -c` says nothing when a section is
// captured by a defaults section that is not its own.
func TestForeignModes(t *testing.T) {
	ports := freePorts(t, 4)
	folder, err := os.MkdirTemp("", "haproxy") // short: a socket's path holds 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	_, ours := rendered(t, cluster+lb+fmt.Sprintf(`loadBalancer: {port: %d, listen: ["127.0.0.1"]}, targets: haproxy: {output: "fragment", metricsPort: %d}`,
		ports[2], ports[3]))
	pidfile := filepath.Join(folder, "pid")
	// -D returns when the process listens.
	out, err := exec.Command(program(t), "-D", "-p", pidfile,
		"-f", store(t, folder, "10.cfg", fmt.Appendf(nil, before, folder, ports[0])),
		"-f", store(t, folder, "50.cfg", ours.Data),
		"-f", store(t, folder, "90.cfg", fmt.Appendf(nil, after, ports[1])),
	).CombinedOutput()
	if err != nil {
		t.Fatalf("haproxy: %v\n%s", err, out)
	}
	t.Cleanup(func() { stop(t, pidfile) })
	want := map[string]string{
		"web FRONTEND": "http", "apps BACKEND": "http", "late FRONTEND": "http", "late BACKEND": "http",
		"etcd-prod FRONTEND": "tcp", "etcd-prod BACKEND": "tcp", "etcd-prod-metrics FRONTEND": "http",
	}
	if diff := cmp.Diff(want, modes(t, filepath.Join(folder, "socket"))); diff != "" {
		t.Error(diff)
	}
}

// modes asks the admin socket for the mode of each frontend and backend.
func modes(t *testing.T, socket string) map[string]string {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, "show stat")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(answer, []byte("# ")))).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%v in %s", err, answer)
	}
	column := map[string]int{}
	for i, title := range rows[0] {
		column[title] = i
	}
	out := map[string]string{}
	for _, row := range rows[1:] {
		if kind := row[column["svname"]]; kind == "FRONTEND" || kind == "BACKEND" {
			out[row[column["pxname"]]+" "+kind] = row[column["mode"]]
		}
	}
	return out
}

// stop ends the process of a pidfile.
func stop(t *testing.T, pidfile string) {
	text, err := os.ReadFile(pidfile)
	if err != nil {
		t.Error(err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Error(err)
	}
}

// freePorts are ports of 127.0.0.1 that nobody listens on.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}
