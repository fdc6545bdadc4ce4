# apply makes what is not there and changes what differs: first whatever lets more through, last whatever takes away.
apply() {
	find_all
	reserve
	check
	groups
	service
	[ "$firewall" = no ] || walls
	rule
	record
	surplus
}

# reserve makes the address, which outlives the forwarding rule, and leaves it in $reserved.
reserve() {
	reserved=$(row "$address_name" "$addresses" | cut -f 3)
	[ -z "$reserved" ] || return 0
	set -- --subnet="$subnetwork" --description="Clients of $title; $mark"
	[ -z "$address" ] || set -- "$@" --addresses="$address"
	change gcloud compute addresses create "$address_name" --project="$project" --region="$region" "$@" --format='value(address)' --quiet
	reserved=${result:-${address:-"($address_name)"}}
}

check() {
	set -- --project="$project" --region="$region" --port="$check_port" --check-interval="$check_interval" --timeout="$check_timeout" \
		--healthy-threshold="$check_rise" --unhealthy-threshold="$check_fall" --enable-logging
	wanted="$check_interval $check_timeout $check_rise $check_fall"
	if [ "$check_kind" = http ]; then
		set -- "$@" --request-path="$check_path"
		wanted="$wanted $check_port $check_path  True"
	else
		wanted="$wanted   $check_port True"
	fi
	have=$(row "$check" "$checks")
	if [ -z "$have" ]; then
		change gcloud compute health-checks create "$check_kind" "$check" "$@" --description="Members of $title; $mark" --quiet
	elif [ "$(echo "$have" | cut -f 3- | tr '\t' ' ')" != "$wanted" ]; then
		change gcloud compute health-checks update "$check_kind" "$check" "$@" --quiet
	fi
}

# groups are an instance group a zone; $leaving are the members, as zone/instance, that the spec no longer wants.
groups() {
	leaving=
	backends=$own_groups
	for zone in $(member_zones); do
		group=$name-$zone inside=
		backends="$backends $zone/$group"
		if [ -z "$(row "$group" "$groups")" ]; then
			change gcloud compute instance-groups unmanaged create "$group" --project="$project" --zone="$zone" --description="Members of $title; $mark" --quiet
		else
			inside=$(ask compute instance-groups unmanaged list-instances "$group" --project="$project" --zone="$zone" --format='value(instance.basename())')
		fi
		new='' wanted=$(instances_in "$zone")
		for instance in $wanted; do
			has "$instance" "$inside" || new="$new $instance"
		done
		for instance in $inside; do
			has "$instance" "$wanted" || leaving="$leaving $zone/$instance"
		done
		[ -z "$new" ] || change gcloud compute instance-groups unmanaged add-instances "$group" --project="$project" --zone="$zone" --instances="$(sorted "$new")" --quiet
	done
}

# service is the backend service, and its groups.
service() {
	set -- --project="$project" --region="$region" --health-checks="$check" --health-checks-region="$region" --session-affinity=NONE \
		--connection-draining-timeout=60 --connection-persistence-on-unhealthy-backends=NEVER_PERSIST
	if [ -z "$service" ]; then
		change gcloud compute backend-services create "$name" "$@" --protocol=TCP --load-balancing-scheme=INTERNAL --description="Members of $title; $mark" --quiet
	elif [ "$(echo "$service" | cut -f 3-6 | tr '\t' ' ')" != "$check 60 NEVER_PERSIST NONE" ]; then
		change gcloud compute backend-services update "$name" "$@" --quiet
	fi
	attached=$(echo "$service" | cut -f 7 | tr ';,' '  ' | sed 's,/instanceGroups/,/,g')
	for backend in $backends; do
		has "$backend" "$attached" || change gcloud compute backend-services add-backend "$name" --project="$project" --region="$region" \
			--instance-group="${backend#*/}" --instance-group-zone="${backend%%/*}" --balancing-mode=CONNECTION --quiet
	done
}

# walls are the firewall rules: for members by their tags, or by their service accounts.
walls() {
	tags=$(sorted "$member_tags") accounts=
	[ -z "$member_accounts" ] || tags='' accounts=$(sorted "$member_accounts")
	while read -r wall ports from about; do
		networks='' from_tags='' from_accounts=''
		case $from in
		members) from_tags=$tags from_accounts=$accounts ;;
		@*) from_tags=${from#@} ;;
		*) networks=$from ;;
		esac
		allow=tcp:$(echo "$ports" | sed 's/,/,tcp:/g')
		have=$(row "$name-$wall" "$walls")
		if [ -z "$have" ]; then
			set -- --description="$about; $mark" --network="$network" --direction=INGRESS --allow="$allow"
			[ -z "$networks" ] || set -- "$@" --source-ranges="$networks"
			[ -z "$from_tags" ] || set -- "$@" --source-tags="$from_tags"
			[ -z "$from_accounts" ] || set -- "$@" --source-service-accounts="$from_accounts"
			[ -z "$tags" ] || set -- "$@" --target-tags="$tags"
			[ -z "$accounts" ] || set -- "$@" --target-service-accounts="$accounts"
			change gcloud compute firewall-rules create "$name-$wall" --project="$network_project" "$@" --quiet
			continue
		fi
		set --
		column=3
		for pair in "source-ranges=$networks" "source-tags=$from_tags" "source-service-accounts=$from_accounts" \
			"target-tags=$tags" "target-service-accounts=$accounts" "allow=$allow"; do
			[ "$(entries "$(echo "$have" | cut -f "$column")")" = "$(entries "${pair#*=}")" ] || set -- "$@" "--$pair"
			column=$((column + 1))
		done
		[ $# -eq 0 ] || change gcloud compute firewall-rules update "$name-$wall" --project="$network_project" "$@" --quiet
	done <<TEXT
$(wanted_walls)
TEXT
}

# entries are those of a list, to be compared: ports may stand together or each with its protocol.
entries() { sorted "$(echo "$1" | sed 's/tcp://g')"; }

# rule is the forwarding rule. Google changes no port of one, and no label: then it is made anew.
rule() {
	have=$(row "$address_name" "$rules")
	if [ -n "$have" ] && [ "$(echo "$have" | cut -f 4,6)" != "$port	$service_label" ]; then
		change gcloud compute forwarding-rules delete "$address_name" --project="$project" --region="$region" --quiet
		have=
	fi
	access=--no-allow-global-access
	[ "$global_access" = no ] || access=--allow-global-access
	has_access=no
	[ "$(echo "$have" | cut -f 5)" != True ] || has_access=yes
	if [ -z "$have" ]; then
		set -- --load-balancing-scheme=INTERNAL --network="$network" --subnet="$subnetwork" --address="$address_name" --ip-protocol=TCP --ports="$port" \
			--backend-service="$name" --backend-service-region="$region" "$access" --description="Clients of $title; $mark"
		[ -z "$service_label" ] || set -- "$@" --service-label="$service_label"
		change gcloud compute forwarding-rules create "$address_name" --project="$project" --region="$region" "$@" --quiet
	elif [ "$has_access" != "$global_access" ]; then
		change gcloud compute forwarding-rules update "$address_name" --project="$project" --region="$region" "$access" --quiet
	fi
}

# record is the name that clients dial.
record() {
	[ -n "$host" ] && [ -n "$dns_zone" ] || return 0
	[ "$record" != "$reserved	60" ] || return 0
	verb=update
	[ -n "$record" ] || verb=create
	change gcloud dns record-sets "$verb" "$host." --project="$dns_project" --zone="$dns_zone" --type=A --ttl=60 --rrdatas="$reserved" --quiet
}

# surplus takes away what the spec no longer wants.
surplus() {
	delete forwarding-rules "$rules" "$address_name" --project="$project" --region="$region"
	delete addresses "$addresses" "$address_name" --project="$project" --region="$region"
	for backend in $attached; do
		has "$backend" "$backends" || change gcloud compute backend-services remove-backend "$name" --project="$project" --region="$region" \
			--instance-group="${backend#*/}" --instance-group-zone="${backend%%/*}" --quiet
	done
	for place in $leaving; do
		change gcloud compute instance-groups unmanaged remove-instances "$name-${place%%/*}" --project="$project" --zone="${place%%/*}" \
			--instances="${place#*/}" --quiet
	done
	delete_groups "$backends"
	delete health-checks "$checks" "$check" --project="$project" --region="$region"
	[ "$firewall" = no ] || delete firewall-rules "$walls" "$(wanted_walls | sed "s/^/$name-/; s/ .*//")" --project="$network_project"
}

# delete deletes things of kind $1 in the rows $2, but for the names $3.
delete() {
	kind=$1 listed=$2 kept=$3
	shift 3
	for thing in $(echo "$listed" | cut -f 1); do
		has "$thing" "$kept" || change gcloud compute "$kind" delete "$thing" "$@" --quiet
	done
}

# delete_groups deletes our instance groups but for those told as zone/group.
delete_groups() {
	for group in $(echo "$groups" | awk -F '\t' 'NF { print $3 "/" $1 }'); do
		has "$group" "$1" || change gcloud compute instance-groups unmanaged delete "${group#*/}" --project="$project" --zone="${group%%/*}" --quiet
	done
}

# health prints what the load balancer thinks of each member.
health() {
	[ -z "$service" ] || ask compute backend-services get-health "$name" --project="$project" --region="$region" \
		--flatten='status.healthStatus[]' --format='value(status.healthStatus.instance.basename(),status.healthStatus.healthState)'
}

# remove deletes what is ours, users of a thing before the thing.
remove() {
	find_all
	[ -z "$record" ] || change gcloud dns record-sets delete "$host." --project="$dns_project" --zone="$dns_zone" --type=A --quiet
	delete forwarding-rules "$rules" '' --project="$project" --region="$region"
	[ -z "$service" ] || change gcloud compute backend-services delete "$name" --project="$project" --region="$region" --quiet
	delete health-checks "$checks" '' --project="$project" --region="$region"
	delete_groups ''
	delete addresses "$addresses" '' --project="$project" --region="$region"
	delete firewall-rules "$walls" '' --project="$network_project"
}
