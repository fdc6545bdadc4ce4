//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// estate are machines on which commands can be typed: each has an /etc of its own, and a service manager.
//
// No systemd runs in a namespace. What systemctl does to files its own program does here, too, after systemd-analyze
// has read the units; what it does to processes the test does. journalctl is the real one, on a journal of the real daemon.
// kubectl and step stand for a kube-apiserver and a step-ca, whose programs cost CI more than all of the rest: for
// kube-apiserver the test asks etcd with the flags that were built, and step's certificates openssl issues. Clouds are
// those of the tests of their targets.
type estate struct {
	*Cluster
	built    *Built
	bin      string // programs before all others
	services map[string]*Process
	asked    chan request
}

// request is what a stand-in wants to have done.
type request struct {
	host string
	args []string
	done chan error
}

// tools are the programs that stand in. They reach the test at $RIG.
var tools = map[string]string{
	"systemctl": `case $1 in
enable | disable | daemon-reload)
	for unit in /etc/systemd/system/etcd-lb-*.service /etc/systemd/system/etcd.service.d/*.conf; do
		[ ! -e "$unit" ] || case $unit in
		*.conf) systemd-analyze verify --man=no etcd.service ;;
		*) systemd-analyze verify --man=no "$unit" ;;
		esac
	done
	case "$*" in
	"disable --now "*) SYSTEMD_OFFLINE=1 /usr/bin/systemctl disable "$3" && set -- stop "$3" ;;
	*) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;;
	esac ;;
esac
ask systemctl "$@"`,
	"kubectl": `ask kubectl "$@"`,
	"journalctl": `out=$(/usr/bin/journalctl --directory="$RIG.journal" "$@" 2>/dev/null) || [ "$out" = "-- No entries --" ] || {
	/usr/bin/journalctl --directory="$RIG.journal" "$@"
	exit 1
}`,
}

const tool = `#!/bin/sh
set -eu
ask() {
	for arg; do
		shift
		set -- "$@" --data-urlencode "arg=$arg"
	done
	curl -sS --fail-with-body --unix-socket "$RIG" --get "$@" "http://rig/$MACHINE"
}
`

func newEstate(c *Cluster, b *Built) *estate {
	c.Helper()
	e := &estate{Cluster: c, built: b, bin: filepath.Join(c.Dir, "bin"), services: map[string]*Process{}, asked: make(chan request)}
	if err := os.Mkdir(e.bin, 0o755); err != nil {
		c.Fatal(err)
	}
	for name, text := range tools {
		if err := os.WriteFile(filepath.Join(e.bin, name), []byte(tool+text+"\n"), 0o755); err != nil {
			c.Fatal(err)
		}
	}
	step, err := filepath.Abs("../testdata/step.sh")
	if err != nil {
		c.Fatal(err)
	}
	for name, path := range map[string]string{"etcdctl": c.Etcd.ctl, "step": step} {
		if err := os.Symlink(path, filepath.Join(e.bin, name)); err != nil {
			c.Fatal(err)
		}
	}
	e.journal()
	listener, err := net.Listen("unix", e.socket())
	if err != nil {
		c.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(e.serve), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	c.Cleanup(func() { server.Close() })
	return e
}

// begun is a journal's beginning, with a /run of its own. A namespace of `ip netns` would hide the cgroups that it needs.
const begun = `set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/journal
[ -s /etc/machine-id ] || systemd-machine-id-setup
timeout 1 /lib/systemd/systemd-journald || [ $? = 124 ]
cp /run/log/journal/*/system.journal "$1"`

// journal lets a journal begin: without one, journalctl does not get as far as to what it is asked for.
func (e *estate) journal() {
	e.Helper()
	at := e.socket() + ".journal"
	if err := os.Mkdir(at, 0o755); err != nil {
		e.Fatal(err)
	}
	if out, err := exec.Command("unshare", "--mount", "sh", "-c", begun, "sh", at).CombinedOutput(); err != nil {
		e.Fatalf("no journal: %v\n%s", err, out)
	}
}

func (e *estate) socket() string { return filepath.Join(e.Dir, "rig.sock") }

// serve passes a request on to the test's own goroutine, which may end the test.
func (e *estate) serve(w http.ResponseWriter, r *http.Request) {
	ask := request{strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query()["arg"], make(chan error, 1)}
	select {
	case e.asked <- ask:
	case <-r.Context().Done():
		return
	}
	if err := <-ask.done; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// onMachine gives commands the /etc of their machine.
const onMachine = `set -eu
dir=$1 folder=$2 script=$3
[ -d "$dir/etc" ] || cp -a /etc "$dir/etc"
mkdir -p "$dir/etc/haproxy" "$dir/etc/nginx" "$dir/etc/keepalived" "$dir/etc/systemd/system"
mount --bind "$dir/etc" /etc
mount --bind "$dir/hosts" /etc/hosts
cd "$folder"
exec sh -eu -c "$script"`

// shell are the arguments for a script on a machine, in a folder.
func (e *estate) shell(h *Host, folder, script string) []string {
	env := fmt.Sprintf("export PATH=%s:$PATH RIG=%s MACHINE=%s CA=%s\n", e.bin, e.socket(), h.Name, e.PKI.Path("ca.crt"))
	return []string{"sh", "-c", onMachine, "sh", h.dir, folder, env + script}
}

// run types a script, and meanwhile does what its stand-ins ask for.
func (e *estate) run(h *Host, folder, script string) (string, error) {
	e.Helper()
	type result struct {
		out string
		err error
	}
	ended := make(chan result, 1)
	go func() {
		out, err := h.Try(e.shell(h, folder, script)...)
		ended <- result{out, err}
	}()
	for {
		select {
		case r := <-e.asked:
			r.done <- e.do(r)
		case r := <-ended:
			return r.out, r.err
		}
	}
}

func (e *estate) do(r request) error {
	e.Helper()
	i := slices.IndexFunc(e.hosts, func(h *Host) bool { return h.Name == r.host })
	switch {
	case i < 0 || len(r.args) < 3:
	case r.args[0] == "systemctl":
		for _, unit := range r.args[2:] {
			if err := e.systemctl(e.hosts[i], r.args[1], unit); err != nil {
				return err
			}
		}
		return nil
	case slices.Equal(r.args, []string{"kubectl", "get", "--raw=/readyz/etcd"}):
		return e.readyz(e.hosts[i])
	}
	return fmt.Errorf("what is %v?", r)
}

// daemons are how units run.
var daemons = map[string]struct {
	args   []string
	reload syscall.Signal
}{
	"haproxy":    {[]string{"haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg"}, syscall.SIGUSR2},
	"nginx":      {[]string{"nginx", "-c", "/etc/nginx/nginx.conf", "-g", `"daemon off;"`}, syscall.SIGHUP},
	"keepalived": {[]string{"keepalived", "--dont-fork", "--log-console", "--use-file", "/etc/keepalived/keepalived.conf"}, syscall.SIGHUP},
}

func (e *estate) systemctl(h *Host, verb, unit string) error {
	e.Helper()
	if unit == "etcd" {
		return e.etcd(h, verb)
	}
	daemon, known := daemons[unit]
	p := e.services[h.Name+"/"+unit]
	switch running := p != nil && p.Running(); {
	case !known:
		return fmt.Errorf("there is no %s", unit)
	case verb == "status" && running:
	case verb == "stop" && running:
		p.Stop()
	case verb == "reload-or-restart" && running:
		p.Signal(daemon.reload)
	case verb == "reload-or-restart", verb == "start":
		if p == nil {
			e.services[h.Name+"/"+unit] = h.Start(nil, e.shell(h, "/", "exec "+strings.Join(daemon.args, " "))...)
		} else {
			p.Restart()
		}
		if unit != "keepalived" {
			e.serves(h, unit)
		}
	default:
		return fmt.Errorf("%s %s: running is %v", verb, unit, running)
	}
	return nil
}

// serves waits until a proxy listens, as its unit does.
func (e *estate) serves(h *Host, unit string) {
	e.Helper()
	e.eventually(10*time.Second, unit+" listens", func() error {
		p := e.services[h.Name+"/"+unit]
		if !p.Running() {
			e.Fatalf("%s ended: %s", unit, tail(p.output.String(), 20))
		}
		if out := h.Run("ss", "-Hltn", "sport = :2379"); out == "" {
			return errors.New("it does not")
		}
		return nil
	})
}

// etcd restarts a member with the file that its drop-in names.
func (e *estate) etcd(h *Host, verb string) error {
	e.Helper()
	i := slices.IndexFunc(e.Members, func(m *Member) bool { return m.Host == h })
	if i < 0 {
		return fmt.Errorf("no etcd on %s", h.Name)
	}
	m := e.Members[i]
	if verb == "status" {
		if !m.Running() {
			return errors.New("it is down")
		}
		return nil
	}
	if verb != "restart" {
		return fmt.Errorf("what is %s?", verb)
	}
	dropIn, err := os.ReadFile(filepath.Join(h.dir, "etc/systemd/system/etcd.service.d/etcd-lb-rig.conf"))
	if err != nil {
		return err
	}
	named := regexp.MustCompile(`(?m)^EnvironmentFile=(.*)$`).FindSubmatch(dropIn)
	if named == nil {
		return fmt.Errorf("the drop-in names no file:\n%s", dropIn)
	}
	installed, err := variables(filepath.Join(h.dir, string(named[1])))
	if err != nil {
		return err
	}
	m.env = append(m.env, installed...) // the last one counts
	m.Process.Stop()
	m.Process.Restart()
	e.ready(m)
	return nil
}

// readyz is what kube-apiserver answers: it asks etcd, with the flags that were built.
func (e *estate) readyz(h *Host) error {
	e.Helper()
	manifest, err := os.ReadFile(e.built.Path("kubernetes/load-balancer/kube-apiserver.yaml"))
	if err != nil {
		return err
	}
	flags := map[string]string{}
	for _, m := range regexp.MustCompile(`"--etcd-(\w+)=([^"]*)"`).FindAllSubmatch(manifest, -1) {
		flags[string(m[1])] = string(m[2])
	}
	for flag, want := range map[string]string{
		"cafile": e.PKI.Path("ca.crt"), "certfile": e.PKI.Path("client.crt"), "keyfile": e.PKI.Path("client.crt.key"),
	} {
		if flags[flag] != want {
			return fmt.Errorf("--etcd-%s is %q, want %q", flag, flags[flag], want)
		}
	}
	for endpoint := range strings.SplitSeq(flags["servers"], ",") {
		if strings.Contains(endpoint, lbHost) {
			return e.reads(h, endpoint)
		}
	}
	return fmt.Errorf("no load balancer in %q", flags["servers"])
}

func (e *estate) reads(h *Host, endpoint string) error {
	e.Helper()
	cli := e.client("client", clientv3.Config{
		Endpoints: []string{endpoint},
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return h.Dial(ctx, "tcp", net.JoinHostPort(vip, "2379"))
		})},
	})
	defer cli.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := cli.Get(ctx, "health")
	return err
}
