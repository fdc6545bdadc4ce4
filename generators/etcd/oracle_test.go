package etcd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// etcd itself takes a file and then answers where the file says.
func TestEtcdStartsWithTheFile(t *testing.T) {
	program, err := exec.LookPath("etcd")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	address := fmt.Sprintf("127.93.%d.%d", os.Getpid()>>8&0xff, os.Getpid()&0xff)
	ports := freePorts(t, address, 3)
	files, _ := build(t, fmt.Sprintf(`
cluster: {
	name:   "trial"
	scheme: "http"
	members: "1": address: %q
	ports: {client: %d, peer: %d}
	metrics: port: %d
}
loadBalancer: {host: "etcd-lb.example.com", timeouts: idle: "2m"}
clients: keepalive: "2s"
targets: {haproxy: {}, etcd: {}}
`, address, ports[0], ports[1], ports[2]))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &bytes.Buffer{}
	server := exec.CommandContext(ctx, program)
	server.Stdout, server.Stderr = log, log
	server.Env = []string{
		"ETCD_DATA_DIR=" + t.TempDir(),
		fmt.Sprintf("ETCD_INITIAL_CLUSTER=1=http://%s:%d", address, ports[1]),
	}
	for name, value := range source(t, files["etcd/1.env"]) {
		server.Env = append(server.Env, name+"="+value)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = server.Wait()
	}()
	stop := func() {
		cancel()
		<-gone
	}
	t.Cleanup(stop)
	for _, port := range []int{ports[2], ports[0]} {
		if err := healthy(ctx, gone, fmt.Sprintf("http://%s:%d/health", address, port)); err != nil {
			stop()
			t.Fatalf("%v\n%s", err, log)
		}
	}
	stop()
	if strings.Contains(log.String(), "unrecognized environment variable") {
		t.Errorf("etcd does not know all of the file\n%s", log)
	}
}

// healthy asks until the answer is that of a healthy member; it gives up when the server is gone.
func healthy(ctx context.Context, gone <-chan struct{}, url string) error {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := ask(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-gone:
			return fmt.Errorf("etcd ended; last answer: %w", err)
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", url, response.Status, body)
	}
	return nil
}

// freePorts are ports that nobody has on an address.
func freePorts(t *testing.T, address string, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", address+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
