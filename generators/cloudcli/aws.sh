tool=aws
export AWS_PAGER=
key=etcdlbgen # the tag, whose value is $name, that everything has which is ours

vpc=${ETCD_LB_VPC_ID-}
subnets=${ETCD_LB_SUBNETS-}
members=${ETCD_LB_MEMBERS-$members}
addresses=${ETCD_LB_ADDRESSES-$addresses}
own_groups=${ETCD_LB_SECURITY_GROUP_IDS-}
own_member_group=${ETCD_LB_MEMBER_SECURITY_GROUP_ID-}
client_groups=${ETCD_LB_CLIENT_SECURITY_GROUP_IDS-}
monitoring_groups=${ETCD_LB_MONITORING_SECURITY_GROUP_IDS-}
zone_id=${ETCD_LB_ROUTE53_ZONE_ID-}
alarm_actions=${ETCD_LB_ALARM_ACTIONS-}
tags=${ETCD_LB_TAGS-}

usage() {
	cat <<TEXT
usage: aws.sh COMMAND
  apply               make the load balancer of $title as the spec says; again: change what differs
  apply --dry-run     print the calls that this would make, and make none but those that ask
  remove              delete all that apply made, and nothing else
  remove --dry-run    print the calls of that
  status              what apply would change, and which members are healthy; exit 1 when it would change something

Region and credentials are those of the aws command. The rest is in the environment, lists with spaces:
  ETCD_LB_VPC_ID                         required: the VPC of members and clients
  ETCD_LB_SUBNETS                        required by apply: one by availability zone: eu-west-1a=subnet-1 eu-west-1b=subnet-2
  ETCD_LB_MEMBERS                        the $target_noun of each member: ${members:-"required by apply: $(echo "$servers" | sed 's/ .*//')=…"}
  ETCD_LB_ADDRESSES                      the load balancer's own address by zone: ${addresses:-AWS chooses}
  ETCD_LB_SECURITY_GROUP_IDS             groups of the load balancer, instead of one that is made
  ETCD_LB_MEMBER_SECURITY_GROUP_ID       the group that members are in; without it one is made, to be attached to them
  ETCD_LB_CLIENT_SECURITY_GROUP_IDS      groups of further clients
  ETCD_LB_MONITORING_SECURITY_GROUP_IDS  groups that read the members' metrics
  ETCD_LB_ROUTE53_ZONE_ID                the hosted zone that gets a record of ${host:-the host, which the spec has none of}
  ETCD_LB_ALARM_ACTIONS                  ARNs that are told when too few members are healthy, and when they are again
  ETCD_LB_TAGS                           further tags of what is made: team=platform
TEXT
}

# able refuses a command that is too old.
able() {
	aws elbv2 modify-listener-attributes --generate-cli-skeleton >/dev/null 2>&1 </dev/null ||
		die "this aws cannot set how long a quiet connection is kept (elbv2 modify-listener-attributes); need one of September 2024 or later"
}

check_remove() {
	needed ETCD_LB_VPC_ID "$vpc" 'the VPC of members and clients'
	like ETCD_LB_VPC_ID 'vpc-[0-9a-f]+' 'an identifier that begins with vpc-' "$vpc"
	like ETCD_LB_ROUTE53_ZONE_ID '[A-Z0-9]+' 'the identifier of a hosted zone' "$zone_id"
}

check_apply() {
	check_remove
	needed ETCD_LB_SUBNETS "$subnets" 'one subnet by zone, such as eu-west-1a=subnet-1'
	like ETCD_LB_SUBNETS '[a-z0-9-]+=subnet-[0-9a-f]+' 'pairs such as eu-west-1a=subnet-1' "$subnets"
	needed ETCD_LB_MEMBERS "$members" "the $target_noun of each member, such as $(echo "$servers" | sed 's/ .*//')=…"
	covers "$members"
	like ETCD_LB_MEMBERS "[a-z0-9-]+=($target_pattern)" "pairs of a member and its $target_noun" "$members"
	like ETCD_LB_ADDRESSES '[a-z0-9-]+=[0-9.]+' 'pairs of a zone and an IPv4 address' "$addresses"
	for zone in $(keys "$addresses"); do
		[ -n "$(value "$zone" "$subnets")" ] || refuse "ETCD_LB_SUBNETS has no subnet in zone $zone, where the load balancer has an address; need one"
	done
	like ETCD_LB_SECURITY_GROUP_IDS 'sg-[0-9a-f]+' 'identifiers that begin with sg-' "$own_groups"
	like ETCD_LB_MEMBER_SECURITY_GROUP_ID 'sg-[0-9a-f]+' 'an identifier that begins with sg-' "$own_member_group"
	like ETCD_LB_CLIENT_SECURITY_GROUP_IDS 'sg-[0-9a-f]+' 'identifiers that begin with sg-' "$client_groups"
	like ETCD_LB_MONITORING_SECURITY_GROUP_IDS 'sg-[0-9a-f]+' 'identifiers that begin with sg-' "$monitoring_groups"
	[ -n "$metrics_port" ] || [ -z "$monitoring_groups" ] ||
		refuse "ETCD_LB_MONITORING_SECURITY_GROUP_IDS has no port to admit them to; need cluster.metrics in the spec"
	like ETCD_LB_ALARM_ACTIONS 'arn:.+' 'ARNs' "$alarm_actions"
	like ETCD_LB_TAGS '[^=,{}]+=[^=,{}]*' 'pairs of a key and its value' "$tags"
	[ -n "$own_groups$client_groups$(balancer_rules)" ] ||
		refuse "the spec admits no network; need at least one group of clients in ETCD_LB_CLIENT_SECURITY_GROUP_IDS"
}

# ask runs a call that changes nothing.
ask() { aws "$@" --output text </dev/null; }

# tag_words are the tags of something called $1.
tag_words() {
	echo "Key=Name,Value=$1"
	echo "Key=$key,Value=$name"
	for pair in $tags; do
		echo "Key=${pair%%=*},Value=${pair#*=}"
	done
}

# specification is the same for ec2.
specification() { echo "ResourceType=$1,Tags=[$(tag_words "$2" | sed 's/.*/{&}/' | paste -sd, -)]"; }

# ours are those of some ARNs of load balancers that have our tag.
ours() {
	[ -n "$1" ] || return 0
	# shellcheck disable=SC2086 # words
	ask elbv2 describe-tags --resource-arns $1 --query "TagDescriptions[?Tags[?Key=='$key' && Value=='$name']].[ResourceArn]"
}

# find_all learns what is there, and refuses what has our names and is not ours before anything is changed.
find_all() {
	found=$(ask elbv2 describe-load-balancers --query "LoadBalancers[?LoadBalancerName=='$name'].[LoadBalancerArn, VpcId, Type, Scheme, IpAddressType, DNSName, CanonicalHostedZoneId]")
	# shellcheck disable=SC2086
	set -- $found
	balancer=${1-} balancer_vpc=${2-} balancer_kind="${3-} ${4-}" balancer_family=${5-} dns_name=${6-} dns_zone=${7-}
	if [ -n "$balancer" ]; then
		owned=$(ours "$balancer")
		[ -n "$owned" ] || die "there is a load balancer $name that this script did not make; delete it, or give the cluster another name"
		[ "$balancer_vpc $balancer_kind" = "$vpc network internal" ] ||
			die "our load balancer $name is $balancer_kind in $balancer_vpc; need network internal in $vpc: remove it first"
	fi
	found=$(ask elbv2 describe-target-groups --query "TargetGroups[?VpcId=='$vpc' && starts_with(TargetGroupName, '$name-') && length(TargetGroupName)==length('$target_group')].[TargetGroupArn, TargetGroupName]")
	all_targets=$(ours "$(echo "$found" | cut -f 1)")
	target_arn=$(echo "$found" | awk -v name="$target_group" '$2 == name { print $1 }')
	[ -z "$target_arn" ] || has "$target_arn" "$all_targets" || die "there is a target group $target_group that this script did not make"
	find_group "$name-lb"
	balancer_group=$group
	find_group "$name-members"
	member_group=$group
	alarm=$(ask cloudwatch describe-alarms --alarm-names "$name-below-quorum" --query 'MetricAlarms[].[AlarmArn]')
	if [ -n "$alarm" ]; then
		owner=$(ask cloudwatch list-tags-for-resource --resource-arn "$alarm" --query "Tags[?Key=='$key'].[Value]")
		[ "$owner" = "$name" ] || die "there is an alarm $name-below-quorum that this script did not make"
	fi
	records=
	if [ -n "$host" ] && [ -n "$zone_id" ]; then
		records=$(ask route53 list-resource-record-sets --hosted-zone-id "$zone_id" --start-record-name "$host." --no-paginate \
			--query "ResourceRecordSets[?Name=='$host.' && (Type=='A' || Type=='AAAA' || Type=='CNAME')].[Type, AliasTarget.DNSName, AliasTarget.HostedZoneId]")
		! echo "$records" | sed '/^$/d' | grep -Evq "^A+	$name-[0-9a-f]+[.]elb[.]" ||
			die "$host has a record in $zone_id that leads elsewhere than to $name; delete it first, or leave ETCD_LB_ROUTE53_ZONE_ID out"
	fi
}

# find_group leaves in $group our security group of a name, or nothing.
find_group() {
	found=$(ask ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" "Name=group-name,Values=$1" \
		--query "SecurityGroups[].[GroupId, Tags[?Key=='$key'].Value | [0]]")
	[ -z "$found" ] || [ "$(echo "$found" | cut -f 2)" = "$name" ] || die "there is a security group $1 in $vpc that this script did not make"
	group=$(echo "$found" | cut -f 1)
}

# make_group makes a security group that is not there.
make_group() {
	change aws ec2 create-security-group --group-name "$1" --description "$2" --vpc-id "$vpc" \
		--tag-specifications "$(specification security-group "$1")" --query GroupId --output text
	group=${result:-"($1)"}
}

# find_rules leaves in $found those of a group: identifier, way, port, source, owner. AWS puts one into each new group.
find_rules() {
	found='(everything-out) out -1 0.0.0.0/0 None'
	exists "$1" || return 0
	found=$(ask ec2 describe-security-group-rules --filters "Name=group-id,Values=$1" --query "SecurityGroupRules[].[SecurityGroupRuleId, IsEgress, IpProtocol, FromPort, ToPort, CidrIpv4 || CidrIpv6 || ReferencedGroupInfo.GroupId, Tags[?Key=='$key'].Value | [0]]")
	found=$(echo "$found" | awk -F '\t' 'NF { print $1, $2 == "True" ? "out" : "in", $3 == "tcp" && $4 == $5 ? $4 : $3, $6, $7 }')
}

# wanted_of_balancer and wanted_of_members are rules as they should be: way, port, source, what for.
wanted_of_balancer() {
	balancer_rules
	for source in $client_groups; do
		echo "in $listen_port $source Clients of $title"
	done
	for port in $dialed_ports; do
		echo "out $port $member_group Connections and health checks to members"
	done
}

wanted_of_members() {
	for port in $dialed_ports; do
		echo "in $port ${balancer_groups%% *} Connections and health checks of the load balancer"
	done
	for port in $peer_ports; do
		echo "in $port $member_group Members among each other"
		echo "out $port $member_group Members among each other"
	done
	member_rules
	for source in $monitoring_groups; do
		echo "in $metrics_port $source Metrics of members"
	done
}

# grant adds to group $1 those of the rules $2 that it lacks.
grant() {
	find_rules "$1"
	have=$(echo "$found" | cut -d ' ' -f 2-4)
	while read -r way port source about; do
		! echo "$have" | grep -qxF "$way $port $source" || continue
		case $source in
		*:*) from="Ipv6Ranges=[{CidrIpv6=$source,Description=$about}]" ;;
		*/*) from="IpRanges=[{CidrIp=$source,Description=$about}]" ;;
		*) from="UserIdGroupPairs=[{GroupId=$source,Description=$about}]" ;;
		esac
		direction=ingress
		[ "$way" = in ] || direction=egress
		change aws ec2 "authorize-security-group-$direction" --group-id "$1" --ip-permissions "IpProtocol=tcp,FromPort=$port,ToPort=$port,$from" \
			--tag-specifications "$(specification security-group-rule "$name")"
	done <<TEXT
$2
TEXT
}

# revoke takes from group $1 those of our rules that are not among $2, and where the group is ours, the rule that AWS gives
# each new one, which lets everything out.
revoke() {
	find_rules "$1"
	while read -r rule way port source owner; do
		case "$way $port $source $owner" in
		*" $name") ! echo "$2" | grep -qF "$way $port $source " || continue ;;
		'out -1 0.0.0.0/0 None' | 'out -1 ::/0 None') [ "$3" = ours ] || continue ;;
		*) continue ;;
		esac
		direction=ingress
		[ "$way" = in ] || direction=egress
		change aws ec2 "revoke-security-group-$direction" --group-id "$1" --security-group-rule-ids "$rule"
	done <<TEXT
$found
TEXT
}

# attributes of a load balancer, target group or listener, as pairs, become what is told where they differ.
attributes() {
	kind=$1 arn=$2
	shift 2
	have=
	! exists "$arn" || have=$(ask elbv2 "describe-$kind-attributes" "--$kind-arn" "$arn" --query 'Attributes[].[Key, Value]')
	have=$(echo "$have" | tr '\t' '=')
	for pair; do
		shift
		has "$pair" "$have" || set -- "$@" "Key=${pair%%=*},Value=${pair#*=}"
	done
	[ $# -eq 0 ] || change aws elbv2 "modify-$kind-attributes" "--$kind-arn" "$arn" --attributes "$@"
}
