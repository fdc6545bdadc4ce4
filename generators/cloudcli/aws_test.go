package cloudcli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
)

// spec is one of members etcd-1, etcd-2, …, and more CUE.
func spec(members int, more ...string) string {
	var b strings.Builder
	b.WriteString("cluster: {name: \"prod\", metrics: port: *2381 | int}\n")
	for i := range members {
		fmt.Fprintf(&b, "cluster: members: \"etcd-%d\": {address: \"10.0.1.%d\", zone: *%q | string}\n", i+1, 10+i, fmt.Sprint("europe-west1-", string(rune('b'+i%3))))
	}
	b.WriteString(`loadBalancer: {host: "etcd-lb.example.com", vip: *"10.0.1.100" | string}
clients: {networks: *["10.0.2.0/24"] | [...string], direct: *["10.0.9.0/24"] | [...string]}
monitoring: networks: ["10.0.8.0/24"]
targets: etcd: {}
`)
	return b.String() + strings.Join(more, "\n")
}

func awsSpec(members int, more ...string) string {
	return spec(members, append(more, "targets: cloudcli: aws: deletionProtection: *false | bool")...)
}

var awsInputs = []string{"ETCD_LB_VPC_ID=vpc-0a", "ETCD_LB_SUBNETS=eu-west-1a=subnet-1 eu-west-1b=subnet-2", "ETCD_LB_ROUTE53_ZONE_ID=Z1"}

// verbs are the operations of calls, each once.
func verbs(calls []string, words int) []string {
	var out []string
	for _, c := range calls {
		verb := strings.Join(strings.Fields(c)[:words], " ")
		if !slices.Contains(out, verb) {
			out = append(out, verb)
		}
	}
	return out
}

// The first run makes everything, the second finds nothing to do.
func TestAWSTwice(t *testing.T) {
	b := newBench(t, awsInputs...)
	b.build(awsSpec(3))
	first := b.Must("aws.sh", "apply")
	for _, want := range []string{
		"elbv2 create-load-balancer", "elbv2 create-target-group", "elbv2 create-listener", "elbv2 register-targets",
		"ec2 create-security-group", "ec2 authorize-security-group-ingress", "ec2 authorize-security-group-egress",
		"ec2 revoke-security-group-egress", // the one that AWS gives every new group
		"route53 change-resource-record-sets", "cloudwatch put-metric-alarm", "elbv2 modify-listener-attributes",
	} {
		if !slices.Contains(verbs(first.Changed, 2), want) {
			t.Errorf("%s was not called", want)
		}
	}
	before := b.State()
	if second := b.Must("aws.sh", "apply"); len(second.Changed) > 0 || !strings.Contains(second.Stderr, "nothing to change") {
		t.Errorf("again: %q\n%s", second.Changed, second.Stderr)
	}
	b.build(awsSpec(4))
	if status := b.Run("aws.sh", "status"); status.Code != 1 || len(status.Changed) > 0 || !strings.Contains(status.Stdout, "register-targets") {
		t.Errorf("status of another spec: exit code %d, %q\n%s", status.Code, status.Changed, status.Stdout)
	}
	b.build(awsSpec(3))
	if status := b.Must("aws.sh", "status"); !strings.Contains(status.Stdout, "10.0.1.10\t2379\thealthy") {
		t.Errorf("status says\n%s", status.Stdout)
	}
	if b.State() != before {
		t.Error("the second run changed something")
	}
}

// What the spec says otherwise is changed, and nothing beside it.
func TestAWSChanges(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		env           []string
		want          []string // calls, as they begin
	}{
		"member added": {awsSpec(4), awsSpec(5), nil, []string{"elbv2 register-targets --target-group-arn * --targets Id=10.0.1.14,Port=2379"}},
		"member added that moves the quorum": {awsSpec(3), awsSpec(4), nil, []string{
			"elbv2 register-targets --target-group-arn * --targets Id=10.0.1.13,Port=2379", "cloudwatch put-metric-alarm",
		}},
		"member removed":     {awsSpec(5), awsSpec(4), nil, []string{"elbv2 deregister-targets --target-group-arn * --targets Id=10.0.1.14,Port=2379"}},
		"idle timeout":       {awsSpec(3), awsSpec(3, `loadBalancer: timeouts: idle: "90m"`), nil, []string{"elbv2 modify-listener-attributes --listener-arn * --attributes Key=tcp.idle_timeout.seconds,Value=5400"}},
		"check":              {awsSpec(3), awsSpec(3, `loadBalancer: healthCheck: {path: "/readyz", fall: 3}`), nil, []string{"elbv2 modify-target-group"}},
		"by connecting":      {awsSpec(3), awsSpec(3, `loadBalancer: healthCheck: via: "tcp"`), nil, []string{"ec2 revoke-security-group-egress", "ec2 revoke-security-group-ingress", "elbv2 modify-target-group"}},
		"client network":     {awsSpec(3), awsSpec(3, `clients: networks: ["10.0.2.0/24", "10.0.3.0/24"]`), nil, []string{"ec2 authorize-security-group-ingress --group-id * --ip-permissions IpProtocol=tcp,FromPort=2379,ToPort=2379,IpRanges=[{CidrIp=10.0.3.0/24"}},
		"no such network":    {awsSpec(3, `clients: networks: ["10.0.2.0/24", "10.0.3.0/24"]`), awsSpec(3), nil, []string{"ec2 revoke-security-group-ingress"}},
		"across zones":       {awsSpec(3), awsSpec(3, "targets: cloudcli: aws: crossZone: false"), nil, []string{"cloudwatch put-metric-alarm", "elbv2 modify-load-balancer-attributes"}},
		"within zones twice": {awsSpec(3, "targets: cloudcli: aws: crossZone: false"), awsSpec(3, "targets: cloudcli: aws: crossZone: false"), nil, nil},
		"port": {awsSpec(3), awsSpec(3, "loadBalancer: port: 443"), nil, []string{
			"ec2 authorize-security-group-ingress", "ec2 revoke-security-group-ingress", "elbv2 modify-listener",
		}},
		"IPv6 clients": {awsSpec(3), awsSpec(3, `clients: networks: ["10.0.2.0/24", "fd00:2::/64"]`), nil, []string{
			"ec2 authorize-security-group-ingress", "elbv2 set-ip-address-type", "route53 change-resource-record-sets",
		}},
		// AWS cannot change the port of a target group.
		"port of members": {awsSpec(3), awsSpec(3, "cluster: ports: client: 12379"), nil, []string{
			"cloudwatch put-metric-alarm", "ec2 authorize-security-group-egress", "ec2 authorize-security-group-ingress",
			"ec2 revoke-security-group-egress", "ec2 revoke-security-group-ingress", "elbv2 create-target-group", "elbv2 delete-target-group",
			"elbv2 modify-listener", "elbv2 modify-target-group-attributes", "elbv2 register-targets",
		}},
		"subnet":       {awsSpec(3), awsSpec(3), []string{"ETCD_LB_SUBNETS=eu-west-1a=subnet-1"}, []string{"elbv2 set-subnets"}},
		"who is told":  {awsSpec(3), awsSpec(3), []string{"ETCD_LB_ALARM_ACTIONS=arn:aws:sns:b arn:aws:sns:a"}, []string{"cloudwatch put-metric-alarm"}},
		"client group": {awsSpec(3), awsSpec(3), []string{"ETCD_LB_CLIENT_SECURITY_GROUP_IDS=sg-77"}, []string{"ec2 authorize-security-group-ingress"}},
		"own groups": {awsSpec(3), awsSpec(3), []string{"ETCD_LB_SECURITY_GROUP_IDS=sg-77"}, []string{
			"ec2 authorize-security-group-ingress", "ec2 delete-security-group", "ec2 revoke-security-group-egress", "ec2 revoke-security-group-ingress",
			"elbv2 set-security-groups",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, awsInputs...)
			b.build(c.before)
			b.Must("aws.sh", "apply")
			b.Env = append(b.Env, c.env...)
			b.build(c.after)
			got := b.Must("aws.sh", "apply").Changed
			slices.Sort(got)
			if !begin(got, c.want) {
				t.Errorf("called\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if rest := b.Must("aws.sh", "apply").Changed; len(rest) > 0 {
				t.Errorf("that left %q", rest)
			}
		})
	}
}

// begin reports whether sorted calls are those wanted: one or more for each, and none beside them. A star stands for a word.
func begin(got, want []string) bool {
	seen := make([]bool, len(want))
	for _, g := range got {
		i := slices.IndexFunc(want, func(w string) bool { return starts(g, w) })
		if i < 0 {
			return false
		}
		seen[i] = true
	}
	return !slices.Contains(seen, false)
}

func starts(call, want string) bool {
	words, wanted := strings.Fields(call), strings.Fields(want)
	if len(words) < len(wanted) {
		return false
	}
	for i, w := range wanted {
		if w != "*" && w != words[i] && (i < len(wanted)-1 || i <= 1 || !strings.HasPrefix(words[i], w)) {
			return false
		}
	}
	return true
}

// A dry run says what would be done and does nothing.
func TestAWSDryRun(t *testing.T) {
	b := newBench(t, awsInputs...)
	b.build(awsSpec(3))
	dry := b.Must("aws.sh", "apply", "--dry-run")
	if len(dry.Changed) > 0 {
		t.Errorf("a dry run called %q", dry.Changed)
	}
	done := b.Must("aws.sh", "apply")
	if a, b := printed(dry.Stdout), printed(done.Stdout); a != b {
		t.Errorf("a dry run says\n%s\nand the run does\n%s", a, b)
	}
	if undo := b.Must("aws.sh", "remove", "--dry-run"); len(undo.Changed) > 0 || undo.Stdout == "" {
		t.Errorf("a dry run called %q and said\n%s", undo.Changed, undo.Stdout)
	}
}

// printed are the operations that a run prints, in their order.
func printed(stdout string) string {
	var out []string
	for line := range strings.Lines(stdout) {
		out = append(out, strings.Join(strings.Fields(line)[:3], " "))
	}
	return strings.Join(out, "\n")
}

// What is missing or wrong is said before anything is called.
func TestAWSInputs(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no VPC":          {[]string{"ETCD_LB_VPC_ID="}, []string{"apply"}, "ETCD_LB_VPC_ID is not set"},
		"no subnets":      {[]string{"ETCD_LB_SUBNETS="}, []string{"apply"}, "ETCD_LB_SUBNETS is not set"},
		"bad subnet":      {[]string{"ETCD_LB_SUBNETS=subnet-1"}, []string{"apply"}, "ETCD_LB_SUBNETS has subnet-1"},
		"foreign member":  {[]string{"ETCD_LB_MEMBERS=etcd-1=10.0.1.1"}, []string{"apply"}, "ETCD_LB_MEMBERS names etcd-1"},
		"injected member": {[]string{"ETCD_LB_MEMBERS=etcd-1=$(id) etcd-2=10.0.1.1 etcd-3=10.0.1.1"}, []string{"apply"}, "ETCD_LB_MEMBERS has etcd-1=$(id)"},
		"no zone":         {[]string{"ETCD_LB_ADDRESSES=eu-west-1c=10.0.1.5"}, []string{"apply"}, "ETCD_LB_SUBNETS has no subnet in zone eu-west-1c"},
		"no command":      {nil, nil, "usage: aws.sh COMMAND"},
		"bad command":     {nil, []string{"destroy"}, "usage: aws.sh COMMAND"},
		"bad flag":        {nil, []string{"apply", "--force"}, "usage: aws.sh COMMAND"},
	} {
		b := newBench(t, append(slices.Clone(awsInputs), c.env...)...)
		b.build(awsSpec(3))
		out := b.Run(append([]string{"aws.sh"}, c.args...)...)
		if out.Code != 2 || len(out.Calls) > 0 || !strings.Contains(out.Stderr, c.want) {
			t.Errorf("%s: exit code %d, %d calls\n%s", name, out.Code, len(out.Calls), out.Stderr)
		}
	}
}

// Whatever call fails, the run fails, and the next one completes it.
func TestAWSFailure(t *testing.T) {
	whole := newBench(t, awsInputs...)
	whole.build(awsSpec(3))
	for _, verb := range verbs(whole.Must("aws.sh", "apply").Changed, 2) {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, append(slices.Clone(awsInputs), cloudclitest.Failing+"="+verb)...)
			b.build(awsSpec(3))
			if out := b.Run("aws.sh", "apply"); out.Code == 0 || !strings.Contains(out.Stderr, "goes on from there") {
				t.Errorf("exit code %d\n%s", out.Code, out.Stderr)
			}
			b.Env = slices.Clone(awsInputs)
			b.Must("aws.sh", "apply")
			if rest := b.Must("aws.sh", "apply").Changed; len(rest) > 0 {
				t.Errorf("that left %q", rest)
			}
			if a, b := cloudclitest.Kinds(whole.State()), cloudclitest.Kinds(b.State()); a != b {
				t.Errorf("there is %s, want %s", b, a)
			}
		})
	}
	// Nor does a question that nobody answers pass for an answer.
	for _, verb := range []string{"describe-security-group-rules", "describe-target-health", "describe-tags", "describe-listeners", "list-resource-record-sets"} {
		b := newBench(t, awsInputs...)
		b.build(awsSpec(3))
		b.Must("aws.sh", "apply")
		b.Env = append(b.Env, cloudclitest.Failing+"="+verb)
		if out := b.Run("aws.sh", "apply"); out.Code == 0 {
			t.Errorf("%s fails, and the run does not", verb)
		}
	}
}

// Remove deletes what apply made, and leaves what others made.
func TestAWSRemove(t *testing.T) {
	b := newBench(t, append(slices.Clone(awsInputs), "ETCD_LB_MEMBER_SECURITY_GROUP_ID=sg-99")...)
	b.build(awsSpec(3))
	b.Must("aws.sh", "apply")
	b.Must("aws.sh", "remove")
	if left := cloudclitest.Kinds(b.State()); left != "" {
		t.Errorf("there is still %s", left)
	}
	if again := b.Must("aws.sh", "remove").Changed; len(again) > 0 {
		t.Errorf("again: %q", again)
	}
	b.build(awsSpec(3, "targets: cloudcli: aws: deletionProtection: true"))
	b.Must("aws.sh", "apply")
	if out := b.Run("aws.sh", "remove"); out.Code != 1 || len(out.Changed) > 0 || !strings.Contains(out.Stderr, "need deletionProtection: false") {
		t.Errorf("a protected one: exit code %d, %q\n%s", out.Code, out.Changed, out.Stderr)
	}
}

// What has our names and is another's is left alone, and said before anything is changed.
func TestAWSForeign(t *testing.T) {
	for name, foreign := range map[string]string{
		"load balancer":  `{"Have": {"balancer": [{"LoadBalancerArn": "arn:1", "LoadBalancerName": "etcd-prod", "VpcId": "vpc-0a", "Tags": []}]}}`,
		"security group": `{"Have": {"group": [{"GroupId": "sg-1", "GroupName": "etcd-prod-lb", "VpcId": "vpc-0a", "Tags": []}]}}`,
		"alarm":          `{"Have": {"alarm": [{"AlarmArn": "arn:1", "AlarmName": "etcd-prod-below-quorum", "Tags": []}]}}`,
		"record":         `{"Have": {"record": [{"Name": "etcd-lb.example.com.", "Type": "A", "TTL": 60}]}}`,
		"alias":          `{"Have": {"record": [{"Name": "etcd-lb.example.com.", "Type": "A", "AliasTarget": {"DNSName": "web-1.elb.eu-west-1.amazonaws.com.", "HostedZoneId": "Z2"}}]}}`,
	} {
		b := newBench(t, awsInputs...)
		b.build(awsSpec(3))
		b.Write("state", foreign)
		if out := b.Run("aws.sh", "apply"); out.Code != 1 || len(out.Changed) > 0 || strings.Contains(out.Stderr, "goes on") {
			t.Errorf("%s: exit code %d, %q\n%s", name, out.Code, out.Changed, out.Stderr)
		}
	}
	// Rules and targets of others in what is ours, rules of others in their groups.
	b := newBench(t, append(slices.Clone(awsInputs), "ETCD_LB_MEMBER_SECURITY_GROUP_ID=sg-99")...)
	b.build(awsSpec(3))
	b.Write("state", `{"Have": {"rule": [{"SecurityGroupRuleId": "sgr-x", "GroupId": "sg-99", "IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"},
		{"SecurityGroupRuleId": "sgr-y", "GroupId": "sg-99", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}]}}`)
	b.Must("aws.sh", "apply")
	b.Must("aws.sh", "remove")
	for _, rule := range []string{"sgr-x", "sgr-y"} {
		if !strings.Contains(b.State(), rule) {
			t.Errorf("rule %s of others is gone", rule)
		}
	}
}

// AWS keeps a load balancer's addresses: others are refused before anything is changed.
func TestAWSAddresses(t *testing.T) {
	b := newBench(t, awsInputs...)
	for i, c := range []struct{ address, refused string }{{"10.0.5.1", ""}, {"10.0.5.1", ""}, {"10.0.5.2", "in eu-west-1a is 10.0.5.1"}} {
		b.build(awsSpec(3, fmt.Sprintf(`targets: cloudcli: aws: addresses: "eu-west-1a": %q`, c.address)))
		out := b.Run("aws.sh", "apply")
		if (out.Code == 0) != (c.refused == "") || i > 0 && len(out.Changed) > 0 || !strings.Contains(out.Stderr, c.refused) {
			t.Errorf("%s: exit code %d, %q\n%s", c.address, out.Code, out.Changed, out.Stderr)
		}
	}
	b = newBench(t, awsInputs...)
	b.build(awsSpec(3))
	b.Must("aws.sh", "apply")
	b.build(awsSpec(3, addresses))
	if out := b.Run("aws.sh", "apply"); out.Code != 1 || len(out.Changed) > 0 || !strings.Contains(out.Stderr, "is chosen-by-AWS") {
		t.Errorf("exit code %d, %q\n%s", out.Code, out.Changed, out.Stderr)
	}
}

// An aws command that is too old to set the idle timeout is refused before anything is made.
func TestAWSOld(t *testing.T) {
	b := newBench(t, append(slices.Clone(awsInputs), cloudclitest.Failing+"=--generate-cli-skeleton")...)
	b.build(awsSpec(3))
	if out := b.Run("aws.sh", "apply"); out.Code != 1 || len(out.Changed) > 0 || !strings.Contains(out.Stderr, "September 2024") {
		t.Errorf("exit code %d, %q\n%s", out.Code, out.Changed, out.Stderr)
	}
}
