//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// Proxy is a load balancer that runs on a machine.
type Proxy struct {
	*Host
	*Process
	reload syscall.Signal
}

// HAProxy runs a configuration in master-worker mode, as service files do.
func (r *Rig) HAProxy(h *Host, config string) *Proxy {
	r.Helper()
	p := &Proxy{h, h.Start(nil, need(r, "haproxy"), "-W", "-f", config), syscall.SIGUSR2}
	p.listens()
	return p
}

// NGINX runs a configuration.
func (r *Rig) NGINX(h *Host, config string) *Proxy {
	r.Helper()
	p := &Proxy{h, h.Start(nil, need(r, "nginx"), "-c", config, "-g", "daemon off;"), syscall.SIGHUP}
	p.listens()
	return p
}

// Reload loads the configuration anew, without a break for those connected.
func (p *Proxy) Reload() {
	p.rig.Helper()
	p.Signal(p.reload)
}

// thinks returns no error where HAProxy's metrics, read from a machine, say that a server is in a state, such as UP.
func (p *Proxy) thinks(from *Host, server, state string) error {
	body, err := from.get("http://" + net.JoinHostPort(p.Addr(), "8405") + "/metrics")
	if err == nil && !strings.Contains(body, fmt.Sprintf("haproxy_server_status{proxy=\"etcd-rig\",server=%q,state=%q} 1\n", server, state)) {
		err = fmt.Errorf("%s is not %s", server, state)
	}
	return err
}

// listens waits until the proxy accepts connections.
func (p *Proxy) listens() {
	p.rig.Helper()
	p.rig.eventually(10*time.Second, p.args[0]+" listens", func() error {
		if !p.Running() {
			p.rig.Fatalf("%s ended:\n%s", p.args[0], tail(p.output.String(), 20))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn, err := p.Dial(ctx, "tcp", net.JoinHostPort(p.Addr(), "2379"))
		if err == nil {
			conn.Close()
		}
		return err
	})
}
