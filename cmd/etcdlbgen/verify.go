package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/etcdlbgen/etcdlbgen/cmd/etcdlbgen/verify"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type verifyCmd struct {
	Spec           []string      `arg:"" optional:"" help:"Spec files or folders, as for build."`
	Endpoint       []string      `placeholder:"URL" help:"What clients dial, without a spec. The members are then those that etcd lists."`
	CACert         string        `name:"cacert" placeholder:"FILE" help:"CA that signed etcd's certificates. Without the three, the paths of the spec's clients.certificate."`
	Cert           string        `placeholder:"FILE" help:"The client's certificate."`
	Key            string        `placeholder:"FILE" help:"Its key."`
	WatchKey       string        `default:"health" placeholder:"KEY" help:"Key that is read and watched, never written; \"${default}\" unless given."`
	WatchFor       time.Duration `default:"65s" placeholder:"TIME" help:"How long a quiet watch must survive: ${default} unless given, two pings of a client; 0 leaves it out."`
	DialTimeout    time.Duration `default:"2s" placeholder:"TIME" help:"For a connection; ${default} unless given."`
	CommandTimeout time.Duration `default:"5s" placeholder:"TIME" help:"For an answer; ${default} unless given."`
	Cluster        []string      `placeholder:"NAME" help:"Only these clusters of a fleet."`
	Tag            []string      `short:"t" sep:"none" placeholder:"KEY=VALUE" help:"Set a tag that the spec declares with @tag()."`
	Format         string        `enum:"text,json" default:"text" help:"One of ${enum}."`
}

// Run dials what the spec describes, and fails when a check does.
func (c *verifyCmd) Run(s *streams) error {
	if (len(c.Spec) > 0) == (len(c.Endpoint) > 0) {
		return usagef("need a spec, or --endpoint without one")
	}
	if c.DialTimeout <= 0 || c.CommandTimeout <= 0 || c.WatchFor < 0 {
		return usagef("--dial-timeout and --command-timeout must be positive, --watch-for not negative")
	}
	topologies, err := c.topologies(s)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var reports []*verify.Report
	failed := 0
	for _, t := range topologies {
		report, err := c.verify(ctx, s, t)
		if err != nil {
			return err
		}
		reports = append(reports, report)
		failed += report.Failed()
	}
	if c.Format == "json" {
		if err := verify.JSON(s.out, reports); err != nil {
			return err
		}
	}
	if failed > 0 {
		return exitCode(exitFindings)
	}
	return nil
}

// topologies are the clusters of the spec; without a spec, nil alone.
func (c *verifyCmd) topologies(s *streams) ([]*topology.Topology, error) {
	if len(c.Spec) == 0 {
		return []*topology.Topology{nil}, nil
	}
	return s.topologies(c.Spec, c.Tag, c.Cluster)
}

// verify asks one cluster, and prints the lines where they are for people.
func (c *verifyCmd) verify(ctx context.Context, s *streams, t *topology.Topology) (*verify.Report, error) {
	options, err := c.options(t)
	if err != nil {
		return nil, err
	}
	var plan verify.Plan
	if t != nil {
		plan = verify.Of(t)
	} else if plan, err = verify.FromURLs(c.Endpoint); err != nil {
		return nil, usagef("%v", err)
	}
	progress := newProgress(s.err)
	options.Announce = func(p verify.Plan) { progress.done(); verify.Targets(s.err, p) }
	options.Progress = progress.say
	report, err := verify.Run(ctx, plan, options)
	progress.done()
	if c.Format == "text" {
		report.Text(s.out, s.colored(s.out))
	}
	if err != nil {
		return nil, errors.New("interrupted, so what is reported is not all")
	}
	return report, nil
}

// options reads the certificates: those of the flags, else those of the spec.
func (c *verifyCmd) options(t *topology.Topology) (verify.Options, error) {
	o := verify.Options{
		WatchKey: c.WatchKey, WatchFor: c.WatchFor, DialTimeout: c.DialTimeout, CommandTimeout: c.CommandTimeout,
	}
	ca, cert, key, of := c.CACert, c.Cert, c.Key, "--cacert, --cert, --key"
	if ca == "" && cert == "" && key == "" && t != nil {
		pair := t.Clients.Certificate
		ca, cert, key, of = pair.CA.V, pair.Cert.V, pair.Key.V, "the spec's clients.certificate"
	}
	if (cert == "") != (key == "") {
		return o, usagef("--cert and --key need each other")
	}
	if ca != "" {
		pem, err := readNamed(ca, of)
		if err != nil {
			return o, err
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) {
			return o, usagef("%s: holds no certificate; need that of the CA in PEM", ca)
		}
	}
	if cert == "" {
		return o, nil
	}
	certPEM, err := readNamed(cert, of)
	if err != nil {
		return o, err
	}
	keyPEM, err := readNamed(key, of)
	if err != nil {
		return o, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return o, usagef("%s and %s: %s", cert, key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	o.Certificate = &pair
	return o, nil
}

// readNamed reads a file that the user named.
func readNamed(path, by string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, usagef("%v (from %s); give --cacert, --cert and --key that this machine can read", err, by)
	}
	return data, err
}

// choose are the clusters of a spec that --cluster names; all where it names none.
func choose(res *schema.Result, names []string) ([]*schema.Cluster, error) {
	if len(names) == 0 {
		return res.Clusters, nil
	}
	if !res.Fleet {
		return nil, usagef("--cluster: the spec is no fleet")
	}
	var out []*schema.Cluster
	for _, c := range res.Clusters {
		if slices.Contains(names, c.Name.V) {
			out = append(out, c)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(out, func(c *schema.Cluster) bool { return c.Name.V == name }) {
			return nil, usagef("--cluster: there is no cluster %q", name)
		}
	}
	return out, nil
}

// progress is one line on a terminal that says what happens now; elsewhere it is silent.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	shown bool
}

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		w = nil
	}
	return &progress{w: w}
}

func (p *progress) say(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K%s", what)
		p.shown = true
	}
}

// done takes the line away.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
