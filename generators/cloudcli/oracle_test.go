package cloudcli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
)

// everyCall are the calls of a cloud's script, one of each kind: by its operation and flags.
func everyCall(t *testing.T, script string, inputs []string, specs ...string) []cloudclitest.Call {
	t.Helper()
	seen := map[string]bool{}
	var out []cloudclitest.Call
	b := newBench(t, inputs...)
	run := func(words ...string) {
		for _, c := range b.Must(append([]string{script}, words...)...).Calls {
			var flags []string
			for f := range c.Flags {
				flags = append(flags, f)
			}
			slices.Sort(flags)
			operation := c.Words[:min(len(c.Words), 4)]
			if key := fmt.Sprint(operation, flags); !seen[key] {
				seen[key] = true
				out = append(out, c)
			}
		}
	}
	for _, s := range specs {
		b.build(s)
		run("apply")
	}
	run("status")
	run("remove")
	return out
}

const addresses = `targets: cloudcli: aws: addresses: "eu-west-1a": "10.0.5.1"`

func awsCalls(t *testing.T) []cloudclitest.Call {
	t.Helper()
	return everyCall(t, "aws.sh", append(slices.Clone(awsInputs), "ETCD_LB_ALARM_ACTIONS=arn:aws:sns:eu-west-1:123456789012:ops", "ETCD_LB_TAGS=team=platform"),
		awsSpec(3, addresses), awsSpec(4, addresses, `loadBalancer: healthCheck: {path: "/readyz", fall: 3}`, `clients: networks: ["10.0.3.0/24", "fd00:2::/64"]`,
			"targets: cloudcli: aws: crossZone: false"), awsSpec(3, addresses, "cluster: ports: client: 12379", `loadBalancer: healthCheck: via: "tcp"`))
}

func gcpCalls(t *testing.T) []cloudclitest.Call {
	t.Helper()
	return everyCall(t, "gcp.sh", append(slices.Clone(gcpInputs), "ETCD_LB_CLIENT_TAGS=web", "ETCD_LB_SERVICE_LABEL=etcd"),
		gcpSpec(3), gcpSpec(4, `loadBalancer: {vip: "10.0.1.200", healthCheck: fall: 5}`, `clients: networks: ["10.0.3.0/24"]`, "targets: cloudcli: gcp: globalAccess: true"),
		gcpSpec(2, `loadBalancer: healthCheck: via: "tcp"`))
}

// The aws command takes every call, and sends it: it checks all parameters before. An older one knows no attributes of
// listeners, which the script says by itself.
func TestAWSCommand(t *testing.T) {
	t.Parallel()
	aws, err := exec.LookPath("aws")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("aws is not here")
	}
	if err != nil {
		t.Skip("aws is not here")
	}
	var mu sync.Mutex
	sent := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent[strings.Split(r.URL.Path, "/")[1]] = true
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	calls := awsCalls(t)
	if len(calls) < 30 {
		t.Errorf("%d kinds of calls", len(calls))
	}
	slots := make(chan struct{}, 2)
	var wg sync.WaitGroup
	for i, c := range calls {
		if c.Words[1] == "wait" || slices.Contains(c.Args, "--generate-cli-skeleton") {
			continue // which calls what others are called for, or nothing
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			key := fmt.Sprint("call-", i)
			cmd := exec.Command(aws, slices.Concat(c.Args, []string{"--no-sign-request", "--region", "eu-west-1", "--endpoint-url", server.URL + "/" + key})...)
			cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=")
			out, _ := cmd.CombinedOutput() // refused by the server, or by the command before that
			mu.Lock()
			defer mu.Unlock()
			old := strings.HasSuffix(c.Words[1], "-listener-attributes") && strings.Contains(string(out), "nvalid choice")
			if !sent[key] && !old {
				t.Errorf("aws %q is not sent:\n%s", c.Args, out)
			}
		})
	}
	wg.Wait()
}

// known are the flags of each gcloud command that the script calls, as Google Cloud SDK 528.0.0 says of itself.
func known(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/gcloud.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string][]string
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// global are flags of every gcloud command.
var global = []string{"project", "quiet", "format", "verbosity", "flatten"}

// The gcloud command knows every flag that the script uses: by what it said of itself, since it cannot be installed from
// Debian, and where it is found by what it says.
func TestGcloudFlags(t *testing.T) {
	t.Parallel()
	flags := known(t)
	calls := gcpCalls(t)
	for _, c := range calls {
		command, found := "", false
		for n := len(c.Words); n > 1 && !found; n-- {
			command = strings.Join(c.Words[:n], " ")
			_, found = flags[command]
		}
		if !found {
			t.Errorf("gcloud %q is unknown", c.Words)
		}
		for f := range c.Flags {
			if !slices.Contains(flags[command], f) && !slices.Contains(global, f) {
				t.Errorf("gcloud %s has no --%s", command, f)
			}
		}
	}
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		return
	}
	type line struct {
		Command string `json:"command_string"`
		Error   string `json:"error_message,omitempty"`
		Success bool   `json:"success,omitempty"`
	}
	var lines []line
	for _, c := range calls {
		words := []string{"gcloud"}
		for _, a := range c.Args {
			words = append(words, "'"+strings.ReplaceAll(a, "'", "")+"'")
		}
		lines = append(lines, line{Command: strings.Join(words, " ")})
	}
	data, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "calls.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gcloud, "meta", "lint-gcloud-commands", "--commands-file="+file)
	cmd.Env = append(os.Environ(), "CLOUDSDK_CONFIG="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var judged []line
	if err := json.Unmarshal(out, &judged); err != nil {
		t.Fatal(err)
	}
	if len(judged) != len(calls) {
		t.Errorf("%d of %d calls were judged", len(judged), len(calls))
	}
	for _, l := range judged {
		if !l.Success {
			t.Errorf("%s: %s", l.Command, l.Error)
		}
	}
}

// The gcloud command itself runs the script, against Google's side of it: what it asks and sends is what the script means.
func TestGcloud(t *testing.T) {
	t.Parallel()
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		t.Skip("gcloud is not here, and cannot be installed from Debian")
	}
	google := cloudclitest.NewREST()
	server := httptest.NewServer(google)
	defer server.Close()
	b := newBench(t, append(slices.Clone(gcpInputs),
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE="+server.URL+"/compute/v1/", "CLOUDSDK_API_ENDPOINT_OVERRIDES_DNS="+server.URL+"/dns/v1/",
		"CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true", "CLOUDSDK_CONFIG="+t.TempDir(), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true",
		"CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=true", "HOME="+t.TempDir())...)
	if err := os.Remove(filepath.Join(b.Dir, "gcloud")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(gcloud, filepath.Join(b.Dir, "gcloud")); err != nil {
		t.Fatal(err)
	}
	b.build(gcpSpec(3))
	b.Must("gcp.sh", "apply")
	service := google.Things["projects/example/regions/europe-west1/backendServices/etcd-prod"]
	for field, want := range map[string]string{
		"loadBalancingScheme": "INTERNAL", "protocol": "TCP", "sessionAffinity": "NONE", "connectionDraining": "map[drainingTimeoutSec:60]",
		"connectionTrackingPolicy": "map[connectionPersistenceOnUnhealthyBackends:NEVER_PERSIST]",
	} {
		if got := fmt.Sprint(service[field]); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	google.Changed = nil
	if again := b.Must("gcp.sh", "apply"); len(google.Changed) > 0 {
		t.Errorf("again: %q\n%s", google.Changed, again.Stdout)
	}
	b.Must("gcp.sh", "remove")
	if len(google.Things) > 0 {
		t.Errorf("there is still %v", google.Things)
	}
}
