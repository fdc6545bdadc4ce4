package cloudclitest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// chosen are the things whose field is one of those told; all where none are.
func (s *cloud) chosen(kind, field string, values []string) things {
	out := things{}
	for _, t := range s.Have[kind] {
		if values == nil || slices.Contains(values, fmt.Sprint(t[field])) {
			out = append(out, t)
		}
	}
	return out
}

func (s *cloud) set(kind, field, value, change string, to any) error {
	found := s.where(kind, field, value)
	if len(found) == 0 {
		return fmt.Errorf("no %s has %s %s", kind, field, value)
	}
	for _, t := range found {
		t[change] = to
	}
	return nil
}

// filtered are the things that ec2's filters let through.
func (s *cloud) filtered(kind string, c Call) things {
	out := things{}
	for _, t := range s.Have[kind] {
		fits := true
		for _, f := range c.Flags["filters"] {
			filter := shorthand(f)
			value := fmt.Sprint(filter["Values"])
			if key, ok := strings.CutPrefix(fmt.Sprint(filter["Name"]), "tag:"); ok {
				fits = fits && tagOf(t, key) == value
				continue
			}
			field := map[string]string{"vpc-id": "VpcId", "group-name": "GroupName", "group-id": "GroupId"}[fmt.Sprint(filter["Name"])]
			fits = fits && field != "" && fmt.Sprint(t[field]) == value
		}
		if fits {
			out = append(out, t)
		}
	}
	return out
}

func tagOf(t object, key string) string {
	tags, _ := t["Tags"].([]any)
	for _, tag := range tags {
		if tag := tag.(object); tag["Key"] == key {
			return fmt.Sprint(tag["Value"])
		}
	}
	return ""
}

func subnets(c Call) []any {
	out := []any{}
	for _, w := range c.Flags["subnet-mappings"] {
		m, addresses := shorthand(w), []any{}
		if a, ok := m["PrivateIPv4Address"]; ok {
			addresses = append(addresses, object{"PrivateIPv4Address": a})
		}
		out = append(out, object{"SubnetId": m["SubnetId"], "LoadBalancerAddresses": addresses})
	}
	return out
}

func checkOf(group object, c Call) {
	for flag, field := range map[string]string{
		"health-check-protocol": "HealthCheckProtocol", "health-check-port": "HealthCheckPort", "health-check-path": "HealthCheckPath",
		"health-check-interval-seconds": "HealthCheckIntervalSeconds", "health-check-timeout-seconds": "HealthCheckTimeoutSeconds",
		"healthy-threshold-count": "HealthyThresholdCount", "unhealthy-threshold-count": "UnhealthyThresholdCount",
	} {
		if c.has(flag) {
			group[field] = c.one(flag)
		}
	}
	if c.has("matcher") {
		group["Matcher"] = shorthand(c.one("matcher"))
	}
}

func attributesOf(flag string) func(*cloud, Call) (any, error) {
	return func(s *cloud, c Call) (any, error) {
		out := []any{}
		for _, t := range s.where("attributes", "of", c.one(flag)) {
			for k, v := range t {
				out = append(out, object{"Key": k, "Value": v})
			}
		}
		return object{"Attributes": out}, nil
	}
}

func changeAttributes(flag string) func(*cloud, Call) (any, error) {
	return func(s *cloud, c Call) (any, error) {
		for _, w := range c.Flags["attributes"] {
			pair := shorthand(w)
			if err := s.set("attributes", "of", c.one(flag), fmt.Sprint(pair["Key"]), pair["Value"]); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
}

func authorize(egress bool) func(*cloud, Call) (any, error) {
	return func(s *cloud, c Call) (any, error) {
		p := shorthand(c.one("ip-permissions"))
		r := object{
			"SecurityGroupRuleId": s.id("sgr-"), "GroupId": c.one("group-id"), "IsEgress": egress, "IpProtocol": p["IpProtocol"],
			"FromPort": p["FromPort"], "ToPort": p["ToPort"], "Tags": shorthand(c.one("tag-specifications"))["Tags"],
		}
		for list, field := range map[string]string{"IpRanges": "CidrIpv4", "Ipv6Ranges": "CidrIpv6", "UserIdGroupPairs": "ReferencedGroupInfo"} {
			ranges, ok := p[list].([]any)
			if !ok {
				continue
			}
			source := ranges[0].(object)
			r["Description"] = source["Description"]
			switch field {
			case "CidrIpv4":
				r[field] = source["CidrIp"]
			case "CidrIpv6":
				r[field] = source["CidrIpv6"]
			default:
				r[field] = object{"GroupId": source["GroupId"]}
			}
		}
		for _, old := range s.where("rule", "GroupId", c.one("group-id")) {
			if fmt.Sprint(old["IsEgress"], old["FromPort"], old["CidrIpv4"], old["CidrIpv6"], old["ReferencedGroupInfo"]) ==
				fmt.Sprint(r["IsEgress"], r["FromPort"], r["CidrIpv4"], r["CidrIpv6"], r["ReferencedGroupInfo"]) {
				return nil, fmt.Errorf("the rule is there: %v", old)
			}
		}
		s.add("rule", r)
		return nil, nil
	}
}

func putAlarm(s *cloud, c Call) (any, error) {
	a := object{
		"AlarmName": c.one("alarm-name"), "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:" + c.one("alarm-name"),
		"AlarmDescription": c.one("alarm-description"), "Threshold": c.one("threshold") + ".0", "EvaluationPeriods": c.one("evaluation-periods"),
		"ComparisonOperator": c.one("comparison-operator"), "TreatMissingData": c.one("treat-missing-data"),
		"AlarmActions": append([]string{}, c.Flags["alarm-actions"]...), "OKActions": append([]string{}, c.Flags["ok-actions"]...),
		"Tags": structures(c.Flags["tags"]),
	}
	if c.has("metrics") {
		var metrics any
		if err := json.Unmarshal([]byte(c.one("metrics")), &metrics); err != nil {
			return nil, err
		}
		a["Metrics"] = metrics
	} else {
		a["Namespace"], a["MetricName"], a["Statistic"], a["Period"] = c.one("namespace"), c.one("metric-name"), c.one("statistic"), c.one("period")
		a["Dimensions"] = structures(c.Flags["dimensions"])
	}
	if len(s.where("alarm", "AlarmName", c.one("alarm-name"))) > 0 {
		if err := s.drop("alarm", "AlarmName", c.one("alarm-name")); err != nil {
			return nil, err
		}
	}
	s.add("alarm", a)
	return nil, nil
}

func changeRecords(s *cloud, c Call) (any, error) {
	var batch struct {
		Changes []struct {
			Action            string
			ResourceRecordSet object
		}
	}
	if err := json.Unmarshal([]byte(c.one("change-batch")), &batch); err != nil {
		return nil, err
	}
	for _, change := range batch.Changes {
		r := change.ResourceRecordSet
		r["Name"] = fmt.Sprint(r["Name"], ".")
		alias := r["AliasTarget"].(object)
		alias["DNSName"] = strings.TrimSuffix(fmt.Sprint(alias["DNSName"]), ".") + "."
		s.Have["record"] = slices.DeleteFunc(s.Have["record"], func(t object) bool { return t["Name"] == r["Name"] && t["Type"] == r["Type"] })
		if change.Action != "DELETE" {
			s.add("record", r)
		}
	}
	return nil, nil
}
