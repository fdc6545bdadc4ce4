package cloudclitest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fakeGoogle answers a call of the gcloud command, as far as the script makes any.
func fakeGoogle(s *cloud, c Call) (string, error) {
	words := c.Words
	if len(words) < 3 || !c.has("quiet") || c.one("project") == "" {
		return "", fmt.Errorf("no operation, --quiet or --project in %v", c)
	}
	kind, verb, rest := words[1], words[2], words[3:]
	if kind == "instance-groups" && len(words) > 3 { // unmanaged
		verb, rest = words[3], words[4:]
	}
	name := ""
	if len(rest) > 0 {
		name = rest[len(rest)-1]
	}
	if kind == "record-sets" {
		kind, name = "record", name+c.one("name")
	}
	g := google{s, c, kind, name}
	answer, ok := map[string]func() (things, error){
		"list": g.list, "create": g.create, "update": g.update, "delete": g.delete, "get-health": g.health,
		"list-instances": g.instances, "add-instances": g.addInstances, "remove-instances": g.removeInstances,
		"add-backend": g.addBackend, "remove-backend": g.removeBackend,
	}[verb]
	if !ok {
		return "", fmt.Errorf("%v is unknown", words)
	}
	found, err := answer()
	if err != nil || c.one("format") == "" {
		return "", err
	}
	var out strings.Builder
	for _, t := range found {
		row, err := project(t, c.one("format"))
		if err != nil {
			return "", err
		}
		out.WriteString(row + "\n")
	}
	return out.String(), nil
}

// google is one call.
type google struct {
	*cloud
	Call
	kind, name string
}

func (g google) mine() object {
	for _, t := range g.Have[g.kind] {
		if t["name"] == g.name {
			return t
		}
	}
	return nil
}

func (g google) list() (things, error) {
	out := things{}
	filter, filtered := strings.CutPrefix(g.one("filter"), "name~")
	for _, t := range g.Have[g.kind] {
		name := fmt.Sprint(t["name"])
		if filtered && !regexp.MustCompile(filter).MatchString(name) || g.kind == "record" && name != g.name {
			continue
		}
		out = append(out, t)
	}
	return out, nil
}

func (g google) create() (things, error) {
	if g.mine() != nil {
		return nil, fmt.Errorf("%s %s is there", g.kind, g.name)
	}
	t := object{"name": g.name}
	if g.kind == "addresses" && !g.has("addresses") {
		t["address"] = "10.0.1.77"
	}
	if address := g.one("address"); address != "" {
		t["IPAddress"] = address
	}
	g.put(t)
	g.add(g.kind, t)
	return things{t}, nil
}

func (g google) update() (things, error) {
	t := g.mine()
	if t == nil {
		return nil, fmt.Errorf("no %s %s", g.kind, g.name)
	}
	g.put(t)
	return nil, nil
}

// put takes what flags say into a thing.
func (g google) put(t object) {
	if zone := g.one("zone"); zone != "" {
		t["zone"] = "projects/p/zones/" + zone
	}
	for flag, field := range map[string]string{
		"description": "description", "check-interval": "checkIntervalSec", "timeout": "timeoutSec", "healthy-threshold": "healthyThreshold",
		"unhealthy-threshold": "unhealthyThreshold", "session-affinity": "sessionAffinity", "service-label": "serviceLabel", "addresses": "address", "ttl": "ttl",
	} {
		if g.has(flag) {
			t[field] = g.one(flag)
		}
	}
	for flag, field := range map[string]string{
		"source-ranges": "sourceRanges", "source-tags": "sourceTags", "source-service-accounts": "sourceServiceAccounts", "target-tags": "targetTags",
		"target-service-accounts": "targetServiceAccounts", "allow": "allowed", "ports": "ports", "rrdatas": "rrdatas", "health-checks": "healthChecks",
	} {
		if g.has(flag) {
			t[field] = strings.FieldsFunc(g.one(flag), func(r rune) bool { return r == ',' })
		}
	}
	if slices.Contains(g.Words, "http") {
		t["httpHealthCheck"] = object{"port": g.one("port"), "requestPath": g.one("request-path")}
	}
	if slices.Contains(g.Words, "tcp") {
		t["tcpHealthCheck"] = object{"port": g.one("port")}
	}
	if g.has("enable-logging") {
		t["logConfig"] = object{"enable": true}
	}
	if g.has("connection-draining-timeout") {
		t["connectionDraining"] = object{"drainingTimeoutSec": g.one("connection-draining-timeout")}
		t["connectionTrackingPolicy"] = object{"connectionPersistenceOnUnhealthyBackends": g.one("connection-persistence-on-unhealthy-backends")}
	}
	if g.has("allow-global-access") || g.has("no-allow-global-access") {
		t["allowGlobalAccess"] = g.has("allow-global-access")
	}
}

// delete refuses what others use.
func (g google) delete() (things, error) {
	users := map[string]string{"addresses": "forwarding-rules", "health-checks": "backend-services", "instance-groups": "backend-services"}
	for _, user := range g.Have[users[g.kind]] {
		if g.kind == "addresses" && user["IPAddress"] == g.name || g.kind != "addresses" && strings.Contains(fmt.Sprint(user["healthChecks"], user["backends"]), g.name) {
			return nil, fmt.Errorf("%s is in use by %v", g.name, user)
		}
	}
	return nil, g.drop(g.kind, "name", g.name)
}

func (g google) health() (things, error) {
	out := things{}
	for _, group := range g.Have["instance-groups"] {
		for _, i := range list(group["instances"]) {
			out = append(out, object{"status": object{"healthStatus": object{"instance": "zones/x/instances/" + fmt.Sprint(i), "healthState": "HEALTHY"}}})
		}
	}
	return out, nil
}

func (g google) instances() (things, error) {
	out := things{}
	for _, i := range list(g.mine()["instances"]) {
		out = append(out, object{"instance": "zones/x/instances/" + fmt.Sprint(i)})
	}
	return out, nil
}

func (g google) addInstances() (things, error) {
	t := g.mine()
	if t == nil {
		return nil, fmt.Errorf("no group %s", g.name)
	}
	for i := range strings.SplitSeq(g.one("instances"), ",") {
		t["instances"] = append(list(t["instances"]), i)
	}
	return nil, nil
}

func (g google) removeInstances() (things, error) {
	t := g.mine()
	t["instances"] = slices.DeleteFunc(list(t["instances"]), func(i any) bool { return i == g.one("instances") })
	return nil, nil
}

func (g google) backend() string {
	return "projects/p/zones/" + g.one("instance-group-zone") + "/instanceGroups/" + g.one("instance-group")
}

func (g google) addBackend() (things, error) {
	t := g.mine()
	if t == nil || g.one("balancing-mode") != "CONNECTION" {
		return nil, fmt.Errorf("no service %s, or not by connections", g.name)
	}
	t["backends"] = append(list(t["backends"]), object{"group": g.backend()})
	return nil, nil
}

func (g google) removeBackend() (things, error) {
	t := g.mine()
	t["backends"] = slices.DeleteFunc(list(t["backends"]), func(b any) bool { return b.(object)["group"] == g.backend() })
	return nil, nil
}

// list is a value that is one, or none.
func list(v any) []any {
	out, _ := v.([]any)
	return out
}
