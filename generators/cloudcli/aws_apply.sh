# apply makes what is not there and changes what differs: first whatever lets more through, last whatever takes away.
apply() {
	find_all
	find_subnets
	groups
	targets
	balancer
	listener
	record
	alarm
	surplus
}

# groups are the security groups, and what they must let through.
groups() {
	balancer_groups=$own_groups
	[ -n "$own_member_group" ] || [ -n "$member_group" ] || {
		make_group "$name-members" "Members of $title"
		member_group=$group
	}
	if [ -z "$own_groups" ]; then
		[ -n "$balancer_group" ] || {
			make_group "$name-lb" "Load balancer of $title"
			balancer_group=$group
		}
		balancer_groups=$balancer_group
	fi
	member_owner=ours
	[ -z "$own_member_group" ] || member_owner='' member_group=$own_member_group
	[ -n "$own_groups" ] || grant "$balancer_group" "$(wanted_of_balancer)"
	grant "$member_group" "$(wanted_of_members)"
}

# targets are the target group and the members in it.
targets() {
	set -- --health-check-protocol "$check_kind" --health-check-port "$check_port" \
		--health-check-interval-seconds "$check_interval" --health-check-timeout-seconds "$check_timeout" \
		--healthy-threshold-count "$check_rise" --unhealthy-threshold-count "$check_fall"
	wanted="$check_kind $check_port $check_interval $check_timeout $check_rise $check_fall"
	asked='HealthCheckProtocol, HealthCheckPort, HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds, HealthyThresholdCount, UnhealthyThresholdCount'
	if [ -n "$check_path" ]; then
		set -- "$@" --health-check-path "$check_path" --matcher HttpCode=200
		wanted="$wanted $check_path 200"
		asked="$asked, HealthCheckPath, Matcher.HttpCode"
	fi
	if [ -z "$target_arn" ]; then
		[ "$target_family" = ipv4 ] || set -- "$@" --ip-address-type "$target_family"
		# shellcheck disable=SC2046
		change aws elbv2 create-target-group --name "$target_group" --protocol TCP --port "$member_port" --vpc-id "$vpc" \
			--target-type "$target_type" "$@" --tags $(tag_words "$name") --query 'TargetGroups[].[TargetGroupArn]' --output text
		target_arn=${result:-"($target_group)"}
	else
		have=$(ask elbv2 describe-target-groups --target-group-arns "$target_arn" --query "TargetGroups[].[$asked]")
		[ "$(echo "$have" | tr '\t' ' ')" = "$wanted" ] || change aws elbv2 modify-target-group --target-group-arn "$target_arn" "$@"
	fi
	attributes target-group "$target_arn" deregistration_delay.timeout_seconds=60 deregistration_delay.connection_termination.enabled=true \
		"preserve_client_ip.enabled=$preserve_client_ip" proxy_protocol_v2.enabled=false stickiness.enabled=false stickiness.type=source_ip \
		target_health_state.unhealthy.connection_termination.enabled=true
	registered=
	! exists "$target_arn" || registered=$(ask elbv2 describe-target-health --target-group-arn "$target_arn" \
		--query "TargetHealthDescriptions[?TargetHealth.State!='draining'].Target.[Id, Port]")
	registered=$(echo "$registered" | tr '\t' ':')
	set --
	for server in $servers; do
		id=$(value "$server" "$members")
		has "$id:$member_port" "$registered" || set -- "$@" "Id=$id,Port=$member_port"
	done
	[ $# -eq 0 ] || change aws elbv2 register-targets --target-group-arn "$target_arn" --targets "$@"
}

# balancer is the load balancer. One that is made without a security group can never get one.
balancer() {
	set --
	for pair in $subnets; do
		address=$(value "${pair%%=*}" "$addresses")
		set -- "$@" "SubnetId=${pair#*=}${address:+,PrivateIPv4Address=$address}"
	done
	if [ -z "$balancer" ]; then
		# shellcheck disable=SC2046,SC2086
		change aws elbv2 create-load-balancer --name "$name" --type network --scheme internal --ip-address-type "$address_family" \
			--subnet-mappings "$@" --security-groups $balancer_groups --tags $(tag_words "$name") \
			--query 'LoadBalancers[].[LoadBalancerArn, DNSName, CanonicalHostedZoneId]' --output text
		read -r balancer dns_name dns_zone <<TEXT
${result:-"($name) (name-of-$name) (zone-of-$name)"}
TEXT
	else
		change_balancer "$@"
	fi
	attributes load-balancer "$balancer" "deletion_protection.enabled=$deletion_protection" "load_balancing.cross_zone.enabled=$cross_zone"
}

# find_subnets learns where a load balancer that is there has which address, and refuses others: AWS changes none.
find_subnets() {
	placed=
	[ -n "$balancer" ] || return 0
	placed=$(ask elbv2 describe-load-balancers --load-balancer-arns "$balancer" \
		--query "LoadBalancers[].AvailabilityZones[].[SubnetId, LoadBalancerAddresses[0].PrivateIPv4Address || 'chosen-by-AWS']")
	placed=$(echo "$placed" | tr '\t' '=')
	for pair in $subnets; do
		wanted=$(value "${pair%%=*}" "$addresses") old=$(value "${pair#*=}" "$placed")
		[ -z "$wanted" ] || [ -z "$old" ] || [ "$old" = "$wanted" ] ||
			die "the load balancer's address in ${pair%%=*} is $old, and AWS changes none; need $wanted: remove it, then apply"
	done
}

# change_balancer compares the load balancer that is there; $@ are its subnets.
change_balancer() {
	[ "$balancer_family" = "$address_family" ] || change aws elbv2 set-ip-address-type --load-balancer-arn "$balancer" --ip-address-type "$address_family"
	have=$(ask elbv2 describe-load-balancers --load-balancer-arns "$balancer" --query 'LoadBalancers[].SecurityGroups[]')
	# shellcheck disable=SC2086
	[ "$(sorted "$have")" = "$(sorted "$balancer_groups")" ] ||
		change aws elbv2 set-security-groups --load-balancer-arn "$balancer" --security-groups $balancer_groups
	[ "$(sorted "$(keys "$placed")")" = "$(sorted "$(echo "$subnets" | tr ' ' '\n' | sed 's/.*=//')")" ] ||
		change aws elbv2 set-subnets --load-balancer-arn "$balancer" --subnet-mappings "$@"
}

listener() {
	listener=
	if exists "$balancer"; then
		found=$(ask elbv2 describe-listeners --load-balancer-arn "$balancer" --query 'Listeners[].[ListenerArn, Port, DefaultActions[0].TargetGroupArn]')
		listener=$(ours "$(echo "$found" | cut -f 1)")
	fi
	if [ -z "$listener" ]; then
		# shellcheck disable=SC2046
		change aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol TCP --port "$listen_port" \
			--default-actions "Type=forward,TargetGroupArn=$target_arn" --tags $(tag_words "$name") --query 'Listeners[].[ListenerArn]' --output text
		listener=${result:-"($name:$listen_port)"}
	elif ! echo "$found" | grep -qxF "$listener	$listen_port	$target_arn"; then
		change aws elbv2 modify-listener --listener-arn "$listener" --port "$listen_port" --default-actions "Type=forward,TargetGroupArn=$target_arn"
	fi
	attributes listener "$listener" "tcp.idle_timeout.seconds=$idle_timeout" # a watch may stay quiet for as long as this
}

# record is the name that clients dial.
record() {
	[ -n "$host" ] && [ -n "$zone_id" ] || return 0
	changes_of_record=
	for type in $record_types; do
		echo "$records" | grep -qixF "$type	$dns_name.	$dns_zone" || alias_change UPSERT "$type" "$dns_name" "$dns_zone"
	done
	drop_records "$record_types"
	change_records
}

# drop_records deletes our records of other types than those told.
drop_records() {
	while read -r type target hosted; do
		[ -z "$type" ] || has "$type" "$1" || alias_change DELETE "$type" "$target" "$hosted"
	done <<TEXT
$records
TEXT
}

alias_change() {
	changes_of_record="$changes_of_record${changes_of_record:+,}{\"Action\":\"$1\",\"ResourceRecordSet\":{\"Name\":\"$host\",\"Type\":\"$2\",\"AliasTarget\":{\"HostedZoneId\":\"$4\",\"DNSName\":\"$3\",\"EvaluateTargetHealth\":false}}}"
}

change_records() {
	[ -z "$changes_of_record" ] ||
		change aws route53 change-resource-record-sets --hosted-zone-id "$zone_id" --change-batch "{\"Changes\":[$changes_of_record]}"
}

# alarm rings below quorum. Across zones each node of the load balancer counts all members; within zones each counts its
# own, so that their sum is what matters.
alarm() {
	about="Fewer members of $title are healthy than its quorum needs."
	lb=${balancer#*:loadbalancer/} group=${target_arn##*:}
	set -- --threshold "$quorum" --evaluation-periods 2 --comparison-operator LessThanThreshold --treat-missing-data breaching
	if [ "$cross_zone" = true ]; then
		set -- "$@" --namespace AWS/NetworkELB --metric-name HealthyHostCount --statistic Minimum --period 60 \
			--dimensions "Name=LoadBalancer,Value=$lb" "Name=TargetGroup,Value=$group"
		wanted="HealthyHostCount Minimum 60 $about $(sorted "$lb $group")"
	else
		metrics='{"Id":"healthy","Expression":"SUM(METRICS())","Label":"healthy members","ReturnData":true}'
		for zone in $(keys "$subnets"); do
			metrics="$metrics,{\"Id\":\"zone_$(echo "$zone" | tr - _)\",\"ReturnData\":false,\"MetricStat\":{\"Period\":60,\"Stat\":\"Minimum\",\"Metric\":{\"Namespace\":\"AWS/NetworkELB\",\"MetricName\":\"HealthyHostCount\",\"Dimensions\":[{\"Name\":\"LoadBalancer\",\"Value\":\"$lb\"},{\"Name\":\"TargetGroup\",\"Value\":\"$group\"},{\"Name\":\"AvailabilityZone\",\"Value\":\"$zone\"}]}}}"
		done
		set -- "$@" --metrics "[$metrics]"
		wanted="None None None $about $(sorted "$lb $group $(keys "$subnets")")"
	fi
	wanted="$quorum 2 LessThanThreshold breaching $wanted $(sorted "$alarm_actions") $(sorted "$alarm_actions")"
	have=
	[ -z "$alarm" ] || have=$(ask cloudwatch describe-alarms --alarm-names "$name-below-quorum" --query "MetricAlarms[].[Threshold, EvaluationPeriods, ComparisonOperator, TreatMissingData, MetricName, Statistic, Period, AlarmDescription, join(' ', [Dimensions[].Value || \`[]\`, Metrics[].MetricStat.Metric.Dimensions[].Value || \`[]\`][]), join(' ', AlarmActions), join(' ', OKActions)]")
	have="$(echo "$have" | cut -f 1-8 | sed 's/[.]0	/	/' | tr '\t' ' ') $(sorted "$(echo "$have" | cut -f 9)") $(sorted "$(echo "$have" | cut -f 10)") $(sorted "$(echo "$have" | cut -f 11)")"
	[ "$have" != "$wanted" ] || return 0
	# shellcheck disable=SC2086
	[ -z "$alarm_actions" ] || set -- "$@" --alarm-actions $alarm_actions --ok-actions $alarm_actions
	# shellcheck disable=SC2046
	change aws cloudwatch put-metric-alarm --alarm-name "$name-below-quorum" --alarm-description "$about" "$@" --tags $(tag_words "$name")
}

# surplus takes away what the spec no longer wants.
surplus() {
	if exists "$target_arn"; then
		set --
		for id in $registered; do
			wanted=
			for server in $servers; do
				[ "$(value "$server" "$members"):$member_port" != "$id" ] || wanted=yes
			done
			[ -n "$wanted" ] || set -- "$@" "Id=${id%:*},Port=${id##*:}"
		done
		[ $# -eq 0 ] || change aws elbv2 deregister-targets --target-group-arn "$target_arn" --targets "$@"
	fi
	for old in $all_targets; do
		[ "$old" = "$target_arn" ] || change aws elbv2 delete-target-group --target-group-arn "$old"
	done
	revoke "$member_group" "$(wanted_of_members)" "$member_owner"
	if [ -z "$own_groups" ]; then
		revoke "$balancer_group" "$(wanted_of_balancer)" ours
	elif [ -n "$balancer_group" ]; then
		revoke "$balancer_group" '' ''
		delete_group "$balancer_group"
	fi
}

# health prints what the load balancer thinks of each member.
health() {
	exists "$target_arn" || return 0
	ask elbv2 describe-target-health --target-group-arn "$target_arn" \
		--query 'TargetHealthDescriptions[].[Target.Id, Target.Port, TargetHealth.State, TargetHealth.Reason]'
}

# remove deletes what is ours, users of a thing before the thing.
remove() {
	find_all
	if [ -n "$balancer" ] && [ "$deletion_protection" = true ]; then
		die "the spec protects the load balancer; need deletionProtection: false in targets.cloudcli.aws, build, apply, then remove"
	fi
	[ -z "$alarm" ] || change aws cloudwatch delete-alarms --alarm-names "$name-below-quorum"
	changes_of_record=
	drop_records ''
	change_records
	if [ -n "$balancer" ]; then
		change aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
		[ -n "$dry" ] || aws elbv2 wait load-balancers-deleted --load-balancer-arns "$balancer"
	fi
	for old in $all_targets; do
		change aws elbv2 delete-target-group --target-group-arn "$old"
	done
	have=$(ask ec2 describe-security-group-rules --filters "Name=tag:$key,Values=$name" --query 'SecurityGroupRules[].[GroupId]')
	for group in $(echo "$have" | sort -u); do
		revoke "$group" '' ''
	done
	for group in $balancer_group $member_group; do
		delete_group "$group"
	done
}

# delete_group deletes one of our groups.
delete_group() {
	released "$1"
	change aws ec2 delete-security-group --group-id "$1"
}

# released waits until no part of the load balancer, which goes some minutes after it, is in group $1.
released() {
	for _ in $(seq 60); do
		[ -z "$dry" ] || return 0
		have=$(ask ec2 describe-network-interfaces --filters "Name=group-id,Values=$1" "Name=description,Values=ELB net/$name/*" \
			--query 'NetworkInterfaces[].[NetworkInterfaceId]')
		[ -n "$have" ] || return 0
		sleep 5
	done
}
