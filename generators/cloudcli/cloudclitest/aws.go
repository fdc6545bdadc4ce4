package cloudclitest

import (
	"fmt"
	"strconv"
	"strings"
)

type object = map[string]any

var awsAnswers = map[string]func(*cloud, Call) (any, error){
	"elbv2 describe-load-balancers": func(s *cloud, c Call) (any, error) {
		return object{"LoadBalancers": s.chosen("balancer", "LoadBalancerArn", c.Flags["load-balancer-arns"])}, nil
	},
	"elbv2 create-load-balancer": func(s *cloud, c Call) (any, error) {
		hash := s.id("")
		b := object{
			"LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/" + c.one("name") + "/" + hash,
			"DNSName":         c.one("name") + "-" + hash + ".elb.eu-west-1.amazonaws.com", "CanonicalHostedZoneId": "Z2IFOLAFXWLO4F",
			"LoadBalancerName": c.one("name"), "VpcId": "vpc-0a", "Type": c.one("type"), "Scheme": c.one("scheme"),
			"IpAddressType": c.one("ip-address-type"), "SecurityGroups": c.Flags["security-groups"], "AvailabilityZones": subnets(c),
			"Tags": structures(c.Flags["tags"]),
		}
		s.add("balancer", b)
		s.add("attributes", object{"of": b["LoadBalancerArn"], "deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"})
		return object{"LoadBalancers": []any{b}}, nil
	},
	"elbv2 set-ip-address-type": func(s *cloud, c Call) (any, error) {
		return nil, s.set("balancer", "LoadBalancerArn", c.one("load-balancer-arn"), "IpAddressType", c.one("ip-address-type"))
	},
	"elbv2 set-security-groups": func(s *cloud, c Call) (any, error) {
		return nil, s.set("balancer", "LoadBalancerArn", c.one("load-balancer-arn"), "SecurityGroups", c.Flags["security-groups"])
	},
	"elbv2 set-subnets": func(s *cloud, c Call) (any, error) {
		return nil, s.set("balancer", "LoadBalancerArn", c.one("load-balancer-arn"), "AvailabilityZones", subnets(c))
	},
	"elbv2 delete-load-balancer": func(s *cloud, c Call) (any, error) {
		arn := c.one("load-balancer-arn")
		for _, a := range s.where("attributes", "of", arn) {
			if a["deletion_protection.enabled"] == "true" {
				return nil, fmt.Errorf("%s is protected", arn)
			}
		}
		for _, l := range s.where("listener", "LoadBalancerArn", arn) {
			if err := s.drop("listener", "ListenerArn", fmt.Sprint(l["ListenerArn"])); err != nil {
				return nil, err
			}
		}
		return nil, s.drop("balancer", "LoadBalancerArn", arn)
	},
	"elbv2 wait": func(*cloud, Call) (any, error) { return nil, nil },
	"elbv2 describe-target-groups": func(s *cloud, c Call) (any, error) {
		return object{"TargetGroups": s.chosen("targets", "TargetGroupArn", c.Flags["target-group-arns"])}, nil
	},
	"elbv2 create-target-group": func(s *cloud, c Call) (any, error) {
		port, err := strconv.Atoi(c.one("port"))
		g := object{
			"TargetGroupArn":  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/" + c.one("name") + "/" + s.id(""),
			"TargetGroupName": c.one("name"), "Protocol": c.one("protocol"), "Port": port, "VpcId": c.one("vpc-id"),
			"TargetType": c.one("target-type"), "Tags": structures(c.Flags["tags"]),
		}
		checkOf(g, c)
		s.add("targets", g)
		s.add("attributes", object{"of": g["TargetGroupArn"], "deregistration_delay.timeout_seconds": "300", "stickiness.enabled": "false", "preserve_client_ip.enabled": "true"})
		return object{"TargetGroups": []any{g}}, err
	},
	"elbv2 modify-target-group": func(s *cloud, c Call) (any, error) {
		for _, g := range s.where("targets", "TargetGroupArn", c.one("target-group-arn")) {
			checkOf(g, c)
		}
		return nil, nil
	},
	"elbv2 delete-target-group": func(s *cloud, c Call) (any, error) {
		arn := c.one("target-group-arn")
		for _, l := range s.Have["listener"] {
			if strings.Contains(fmt.Sprint(l["DefaultActions"]), arn) {
				return nil, fmt.Errorf("%s is in use", arn)
			}
		}
		return nil, s.drop("targets", "TargetGroupArn", arn)
	},
	"elbv2 describe-target-health": func(s *cloud, c Call) (any, error) {
		out := []any{}
		for _, t := range s.where("registered", "of", c.one("target-group-arn")) {
			out = append(out, object{"Target": t, "TargetHealth": object{"State": t["State"]}})
		}
		return object{"TargetHealthDescriptions": out}, nil
	},
	"elbv2 register-targets": func(s *cloud, c Call) (any, error) {
		for _, w := range c.Flags["targets"] {
			t := shorthand(w)
			s.add("registered", object{"of": c.one("target-group-arn"), "Id": t["Id"], "Port": t["Port"], "State": "healthy"})
		}
		return nil, nil
	},
	// A target that is taken out is there for a while.
	"elbv2 deregister-targets": func(s *cloud, c Call) (any, error) {
		for _, w := range c.Flags["targets"] {
			if err := s.set("registered", "Id", fmt.Sprint(shorthand(w)["Id"]), "State", "draining"); err != nil {
				return nil, err
			}
		}
		return nil, nil
	},
	"elbv2 describe-listeners": func(s *cloud, c Call) (any, error) {
		return object{"Listeners": s.where("listener", "LoadBalancerArn", c.one("load-balancer-arn"))}, nil
	},
	"elbv2 create-listener": func(s *cloud, c Call) (any, error) {
		l := object{
			"ListenerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/" + s.id(""), "LoadBalancerArn": c.one("load-balancer-arn"),
			"Protocol": c.one("protocol"), "Port": c.one("port"), "DefaultActions": structures(c.Flags["default-actions"]), "Tags": structures(c.Flags["tags"]),
		}
		s.add("listener", l)
		s.add("attributes", object{"of": l["ListenerArn"], "tcp.idle_timeout.seconds": "350"})
		return object{"Listeners": []any{l}}, nil
	},
	"elbv2 modify-listener": func(s *cloud, c Call) (any, error) {
		for _, l := range s.where("listener", "ListenerArn", c.one("listener-arn")) {
			l["Port"], l["DefaultActions"] = c.one("port"), structures(c.Flags["default-actions"])
		}
		return nil, nil
	},
	"elbv2 describe-load-balancer-attributes": attributesOf("load-balancer-arn"),
	"elbv2 describe-target-group-attributes":  attributesOf("target-group-arn"),
	"elbv2 describe-listener-attributes":      attributesOf("listener-arn"),
	"elbv2 modify-load-balancer-attributes":   changeAttributes("load-balancer-arn"),
	"elbv2 modify-target-group-attributes":    changeAttributes("target-group-arn"),
	"elbv2 modify-listener-attributes":        changeAttributes("listener-arn"),
	"elbv2 describe-tags": func(s *cloud, c Call) (any, error) {
		out := []any{}
		for kind, field := range map[string]string{"balancer": "LoadBalancerArn", "targets": "TargetGroupArn", "listener": "ListenerArn"} {
			for _, t := range s.chosen(kind, field, c.Flags["resource-arns"]) {
				out = append(out, object{"ResourceArn": t[field], "Tags": t["Tags"]})
			}
		}
		return object{"TagDescriptions": out}, nil
	},
	"ec2 describe-security-groups": func(s *cloud, c Call) (any, error) {
		return object{"SecurityGroups": s.filtered("group", c)}, nil
	},
	"ec2 create-security-group": func(s *cloud, c Call) (any, error) {
		g := object{
			"GroupId": s.id("sg-"), "GroupName": c.one("group-name"), "Description": c.one("description"), "VpcId": c.one("vpc-id"),
			"Tags": shorthand(c.one("tag-specifications"))["Tags"],
		}
		s.add("group", g)
		s.add("rule", object{"SecurityGroupRuleId": s.id("sgr-"), "GroupId": g["GroupId"], "IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0", "Tags": []any{}})
		return g, nil
	},
	"ec2 delete-security-group": func(s *cloud, c Call) (any, error) {
		id := c.one("group-id")
		for _, r := range s.Have["rule"] {
			if info, ok := r["ReferencedGroupInfo"].(object); ok && info["GroupId"] == id && r["GroupId"] != id {
				return nil, fmt.Errorf("%s is named by a rule of %s", id, r["GroupId"])
			}
		}
		return nil, s.drop("group", "GroupId", id)
	},
	"ec2 describe-security-group-rules":    func(s *cloud, c Call) (any, error) { return object{"SecurityGroupRules": s.filtered("rule", c)}, nil },
	"ec2 authorize-security-group-ingress": authorize(false),
	"ec2 authorize-security-group-egress":  authorize(true),
	"ec2 revoke-security-group-ingress": func(s *cloud, c Call) (any, error) {
		return nil, s.drop("rule", "SecurityGroupRuleId", c.one("security-group-rule-ids"))
	},
	"ec2 revoke-security-group-egress": func(s *cloud, c Call) (any, error) {
		return nil, s.drop("rule", "SecurityGroupRuleId", c.one("security-group-rule-ids"))
	},
	"ec2 describe-network-interfaces": func(*cloud, Call) (any, error) { return object{"NetworkInterfaces": []any{}}, nil },
	"cloudwatch describe-alarms": func(s *cloud, c Call) (any, error) {
		return object{"MetricAlarms": s.chosen("alarm", "AlarmName", c.Flags["alarm-names"])}, nil
	},
	"cloudwatch list-tags-for-resource": func(s *cloud, c Call) (any, error) {
		return object{"Tags": s.where("alarm", "AlarmArn", c.one("resource-arn"))[0]["Tags"]}, nil
	},
	"cloudwatch delete-alarms":    func(s *cloud, c Call) (any, error) { return nil, s.drop("alarm", "AlarmName", c.one("alarm-names")) },
	"cloudwatch put-metric-alarm": putAlarm,
	"route53 list-resource-record-sets": func(s *cloud, _ Call) (any, error) {
		return object{"ResourceRecordSets": s.chosen("record", "", nil)}, nil
	},
	"route53 change-resource-record-sets": changeRecords,
}
