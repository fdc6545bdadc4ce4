package cloudcli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
)

func gcpSpec(members int, more ...string) string {
	return spec(members, append(more, "targets: cloudcli: gcp: {}")...)
}

var gcpInputs = []string{
	"ETCD_LB_PROJECT=example", "ETCD_LB_REGION=europe-west1", "ETCD_LB_NETWORK=projects/host/global/networks/main",
	"ETCD_LB_SUBNETWORK=projects/host/regions/europe-west1/subnetworks/main", "ETCD_LB_DNS_MANAGED_ZONE=internal",
}

// The first run makes everything, the second finds nothing to do.
func TestGCPTwice(t *testing.T) {
	for name, c := range map[string]struct {
		spec string
		env  []string
	}{
		"plain":                {gcpSpec(3), nil},
		"address is Google's":  {strings.Replace(gcpSpec(3), `, vip: *"10.0.1.100" | string`, "", 1), nil},
		"by connecting":        {gcpSpec(3, `loadBalancer: healthCheck: via: "tcp"`), nil},
		"accounts":             {gcpSpec(3), []string{"ETCD_LB_MEMBER_SERVICE_ACCOUNTS=etcd@example.iam.gserviceaccount.com"}},
		"tags":                 {gcpSpec(3), []string{"ETCD_LB_CLIENT_TAGS=web batch", "ETCD_LB_MONITORING_TAGS=prom"}},
		"own groups":           {gcpSpec(3), []string{"ETCD_LB_INSTANCE_GROUPS=europe-west1-b/mine", "ETCD_LB_MEMBERS="}},
		"everywhere, labelled": {gcpSpec(3, "targets: cloudcli: gcp: globalAccess: true"), []string{"ETCD_LB_SERVICE_LABEL=etcd"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, append(slices.Clone(gcpInputs), c.env...)...)
			b.build(c.spec)
			first := b.Must("gcp.sh", "apply")
			for _, want := range []string{
				"compute addresses create", "compute health-checks create", "compute backend-services create", "compute backend-services add-backend",
				"compute forwarding-rules create", "compute firewall-rules create", "dns record-sets create",
			} {
				if !slices.Contains(verbs(first.Changed, 3), want) {
					t.Errorf("%s was not called", want)
				}
			}
			before := b.State()
			if second := b.Must("gcp.sh", "apply"); len(second.Changed) > 0 || !strings.Contains(second.Stderr, "nothing to change") {
				t.Errorf("again: %q\n%s", second.Changed, second.Stderr)
			}
			if status := b.Must("gcp.sh", "status"); name == "plain" && !strings.Contains(status.Stdout, "etcd-1\tHEALTHY") {
				t.Errorf("status says\n%s", status.Stdout)
			}
			if b.State() != before {
				t.Error("the second run changed something")
			}
		})
	}
}

// What the spec says otherwise is changed, and nothing beside it.
func TestGCPChanges(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		env           []string
		want          []string
	}{
		"member added": {gcpSpec(3), gcpSpec(4), nil, []string{"compute instance-groups unmanaged add-instances etcd-prod-europe-west1-b * * --instances=etcd-4"}},
		"member added in a new zone": {gcpSpec(2), gcpSpec(3), nil, []string{
			"compute backend-services add-backend", "compute instance-groups unmanaged add-instances etcd-prod-europe-west1-d",
			"compute instance-groups unmanaged create etcd-prod-europe-west1-d",
		}},
		"member removed": {gcpSpec(4), gcpSpec(3), nil, []string{"compute instance-groups unmanaged remove-instances etcd-prod-europe-west1-b * * --instances=etcd-4"}},
		"last of a zone": {gcpSpec(3), gcpSpec(2), nil, []string{
			"compute backend-services remove-backend", "compute instance-groups unmanaged delete etcd-prod-europe-west1-d",
		}},
		"check": {gcpSpec(3), gcpSpec(3, `loadBalancer: healthCheck: fall: 5`), nil, []string{"compute health-checks update http"}},
		// A health check stays of its kind.
		"by connecting": {gcpSpec(3), gcpSpec(3, `loadBalancer: healthCheck: via: "tcp"`), nil, []string{
			"compute backend-services update etcd-prod", "compute firewall-rules update etcd-prod-probes * --allow=tcp:2379", "compute health-checks create tcp", "compute health-checks delete etcd-prod-http",
		}},
		"client network": {gcpSpec(3), gcpSpec(3, `clients: networks: ["10.0.2.0/24", "10.0.3.0/24"]`), nil, []string{
			"compute firewall-rules update etcd-prod-clients * --source-ranges=10.0.2.0/24,10.0.3.0/24,10.0.9.0/24",
		}},
		"IPv6 scraper": {gcpSpec(3), gcpSpec(3, `clients: direct: ["10.0.9.0/24", "fd00:8::/64"]`), nil, []string{"compute firewall-rules create etcd-prod-clients-ipv6"}},
		"no such":      {gcpSpec(3, `clients: direct: ["10.0.9.0/24", "fd00:8::/64"]`), gcpSpec(3), nil, []string{"compute firewall-rules delete etcd-prod-clients-ipv6"}},
		"everywhere":   {gcpSpec(3), gcpSpec(3, "targets: cloudcli: gcp: globalAccess: true"), nil, []string{"compute forwarding-rules update etcd-prod-10-0-1-100 * * --allow-global-access"}},
		"nowhere else": {gcpSpec(3, "targets: cloudcli: gcp: globalAccess: true"), gcpSpec(3), nil, []string{"compute forwarding-rules update etcd-prod-10-0-1-100 * * --no-allow-global-access"}},
		// Clients of the old address are served until the name leads to the new one.
		"address": {gcpSpec(3), gcpSpec(3, `loadBalancer: vip: "10.0.1.200"`), nil, []string{
			"compute addresses create etcd-prod-10-0-1-200", "compute addresses delete etcd-prod-10-0-1-100", "compute forwarding-rules create etcd-prod-10-0-1-200",
			"compute forwarding-rules delete etcd-prod-10-0-1-100", "dns record-sets update",
		}},
		"the address that Google chose": {strings.Replace(gcpSpec(3), `, vip: *"10.0.1.100" | string`, "", 1), gcpSpec(3, `loadBalancer: vip: "10.0.1.77"`), nil, nil},
		"accounts":                      {gcpSpec(3), gcpSpec(3), []string{"ETCD_LB_MEMBER_SERVICE_ACCOUNTS=etcd@example.iam.gserviceaccount.com"}, []string{"compute firewall-rules update"}},
		"others' firewall":              {gcpSpec(3), gcpSpec(3), []string{"ETCD_LB_FIREWALL_RULES=no"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, gcpInputs...)
			b.build(c.before)
			b.Must("gcp.sh", "apply")
			b.Env = append(b.Env, c.env...)
			b.build(c.after)
			got := b.Must("gcp.sh", "apply").Changed
			slices.Sort(got)
			if !begin(got, c.want) {
				t.Errorf("called\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if rest := b.Must("gcp.sh", "apply").Changed; len(rest) > 0 {
				t.Errorf("that left %q", rest)
			}
		})
	}
}

// A dry run says what would be done and does nothing.
func TestGCPDryRun(t *testing.T) {
	b := newBench(t, gcpInputs...)
	b.build(gcpSpec(3))
	dry := b.Must("gcp.sh", "apply", "--dry-run")
	if len(dry.Changed) > 0 {
		t.Errorf("a dry run called %q", dry.Changed)
	}
	if done := b.Must("gcp.sh", "apply"); dry.Stdout != done.Stdout {
		t.Errorf("a dry run says\n%s\nand the run does\n%s", dry.Stdout, done.Stdout)
	}
	if undo := b.Must("gcp.sh", "remove", "--dry-run"); len(undo.Changed) > 0 || undo.Stdout == "" {
		t.Errorf("a dry run called %q and said\n%s", undo.Changed, undo.Stdout)
	}
}

// What is missing or wrong is said before anything is called.
func TestGCPInputs(t *testing.T) {
	for input, want := range map[string]string{
		"ETCD_LB_PROJECT=":                      "ETCD_LB_PROJECT is not set",
		"ETCD_LB_REGION=europe":                 "ETCD_LB_REGION has europe",
		"ETCD_LB_NETWORK=":                      "ETCD_LB_NETWORK is not set",
		"ETCD_LB_SUBNETWORK=":                   "ETCD_LB_SUBNETWORK is not set",
		"ETCD_LB_MEMBERS=":                      "ETCD_LB_MEMBERS is not set",
		"ETCD_LB_MEMBERS=etcd-1=europe-west1-b": "ETCD_LB_MEMBERS names etcd-1",
		"ETCD_LB_FIREWALL_RULES=off":            "ETCD_LB_FIREWALL_RULES has off",
		"ETCD_LB_MEMBER_TAGS=":                  "ETCD_LB_MEMBER_TAGS is not set",
		"ETCD_LB_DNS_MANAGED_ZONE=a.example":    "ETCD_LB_DNS_MANAGED_ZONE has a.example",
	} {
		b := newBench(t, append(slices.Clone(gcpInputs), input)...)
		b.build(gcpSpec(3))
		if out := b.Run("gcp.sh", "apply"); out.Code != 2 || len(out.Calls) > 0 || !strings.Contains(out.Stderr, want) {
			t.Errorf("%s: exit code %d, %d calls\n%s", input, out.Code, len(out.Calls), out.Stderr)
		}
	}
}

// Whatever call fails, the run fails, and the next one completes it.
func TestGCPFailure(t *testing.T) {
	whole := newBench(t, gcpInputs...)
	whole.build(gcpSpec(3))
	for _, verb := range verbs(whole.Must("gcp.sh", "apply").Changed, 3) {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, append(slices.Clone(gcpInputs), cloudclitest.Failing+"="+verb)...)
			b.build(gcpSpec(3))
			if out := b.Run("gcp.sh", "apply"); out.Code == 0 || !strings.Contains(out.Stderr, "goes on from there") {
				t.Errorf("exit code %d\n%s", out.Code, out.Stderr)
			}
			b.Env = slices.Clone(gcpInputs)
			b.Must("gcp.sh", "apply")
			if rest := b.Must("gcp.sh", "apply").Changed; len(rest) > 0 {
				t.Errorf("that left %q", rest)
			}
			if a, b := cloudclitest.Kinds(whole.State()), cloudclitest.Kinds(b.State()); a != b {
				t.Errorf("there is %s, want %s", b, a)
			}
		})
	}
	for _, verb := range []string{"addresses list", "unmanaged list", "list-instances", "firewall-rules list", "record-sets list"} {
		b := newBench(t, gcpInputs...)
		b.build(gcpSpec(3))
		b.Must("gcp.sh", "apply")
		b.Env = append(b.Env, cloudclitest.Failing+"="+verb)
		if out := b.Run("gcp.sh", "apply"); out.Code == 0 {
			t.Errorf("%s fails, and the run does not", verb)
		}
	}
}

// Remove deletes what apply made, and leaves what others made.
func TestGCPRemove(t *testing.T) {
	b := newBench(t, gcpInputs...)
	b.build(gcpSpec(3))
	b.Must("gcp.sh", "apply")
	b.Must("gcp.sh", "remove")
	if left := cloudclitest.Kinds(b.State()); left != "" {
		t.Errorf("there is still %s", left)
	}
	if again := b.Must("gcp.sh", "remove").Changed; len(again) > 0 {
		t.Errorf("again: %q", again)
	}
}

// What has our names and is another's, Terraform's too, is left alone, and said before anything is changed.
func TestGCPForeign(t *testing.T) {
	for name, foreign := range map[string]string{
		"service": `{"Have": {"backend-services": [{"name": "etcd-prod", "description": "Members of etcd cluster prod"}]}}`,
		"address": `{"Have": {"addresses": [{"name": "etcd-prod-10-0-1-100", "address": "10.0.1.100"}]}}`,
		"rule":    `{"Have": {"firewall-rules": [{"name": "etcd-prod-probes", "description": "Health checks; made by etcdlbgen for etcd cluster other"}]}}`,
		"record":  `{"Have": {"record": [{"name": "etcd-lb.example.com.", "rrdatas": ["10.0.1.9"], "ttl": "60"}]}}`,
	} {
		b := newBench(t, gcpInputs...)
		b.build(gcpSpec(3))
		b.Write("state", foreign)
		if out := b.Run("gcp.sh", "apply"); out.Code != 1 || len(out.Changed) > 0 || strings.Contains(out.Stderr, "goes on") {
			t.Errorf("%s: exit code %d, %q\n%s", name, out.Code, out.Changed, out.Stderr)
		}
	}
	// The things of a cluster whose name begins as ours does.
	b := newBench(t, gcpInputs...)
	b.build(gcpSpec(3))
	b.Write("state", `{"Have": {"firewall-rules": [{"name": "etcd-prod-eu-probes", "description": "x; made by etcdlbgen for etcd cluster prod-eu"}]}}`)
	b.Must("gcp.sh", "apply")
	b.Must("gcp.sh", "remove")
	if !strings.Contains(b.State(), "etcd-prod-eu-probes") {
		t.Error("the rule of another cluster is gone")
	}
}
