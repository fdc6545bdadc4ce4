tool=gcloud
mark="made by etcdlbgen for $title" # the end of every description

project=${ETCD_LB_PROJECT-}
region=${ETCD_LB_REGION-}
network=${ETCD_LB_NETWORK-}
subnetwork=${ETCD_LB_SUBNETWORK-}
address=${ETCD_LB_ADDRESS-$address}
members=${ETCD_LB_MEMBERS-$members}
own_groups=${ETCD_LB_INSTANCE_GROUPS-}
firewall=${ETCD_LB_FIREWALL_RULES-yes}
member_tags=${ETCD_LB_MEMBER_TAGS-$name}
member_accounts=${ETCD_LB_MEMBER_SERVICE_ACCOUNTS-}
client_tags=${ETCD_LB_CLIENT_TAGS-}
monitoring_tags=${ETCD_LB_MONITORING_TAGS-}
dns_zone=${ETCD_LB_DNS_MANAGED_ZONE-}
dns_project=${ETCD_LB_DNS_PROJECT:-$project}
service_label=${ETCD_LB_SERVICE_LABEL-}

# The project of a shared network is its host's.
network_project=$(expr "$network" : '.*projects/\([^/]*\)/global/networks/' || :)
network_project=${network_project:-$project}

usage() {
	cat <<TEXT
usage: gcp.sh COMMAND
  apply               make the load balancer of $title as the spec says; again: change what differs
  apply --dry-run     print the calls that this would make, and make none but those that ask
  remove              delete all that apply made, and nothing else
  remove --dry-run    print the calls of that
  status              what apply would change, and which members are healthy; exit 1 when it would change something

Credentials are those of the gcloud command. The rest is in the environment, lists with spaces:
  ETCD_LB_PROJECT                  required: the project of load balancer and members
  ETCD_LB_REGION                   required: their region, such as europe-west1
  ETCD_LB_NETWORK                  required: the network's name, or projects/…/global/networks/… of a shared one
  ETCD_LB_SUBNETWORK               required by apply: the subnetwork's name, or projects/…/subnetworks/… of a shared one
  ETCD_LB_ADDRESS                  the load balancer's address, an unused one of the subnetwork: ${address:-Google chooses}
  ETCD_LB_MEMBERS                  each member's zone, and its instance if that is called otherwise (etcd-1=europe-west1-b/vm-1):
                                   ${members:-required by apply}
  ETCD_LB_INSTANCE_GROUPS          groups that hold the members, instead of those that are made: europe-west1-b/my-group
  ETCD_LB_FIREWALL_RULES           no: leave the network's firewall to others, who let probes and clients reach the members
  ETCD_LB_MEMBER_TAGS              the members' network tags, which the firewall rules are for: $member_tags
  ETCD_LB_MEMBER_SERVICE_ACCOUNTS  their service accounts, for rules that are for these instead
  ETCD_LB_CLIENT_TAGS              network tags of further clients
  ETCD_LB_MONITORING_TAGS          network tags of further machines that read the members' metrics
  ETCD_LB_DNS_MANAGED_ZONE         the managed zone that gets a record of ${host:-the host, which the spec has none of}
  ETCD_LB_DNS_PROJECT              the project of that zone, if it is another one
  ETCD_LB_SERVICE_LABEL            a label that names the load balancer within Google's internal DNS
TEXT
}

able() { :; }

check_remove() {
	needed ETCD_LB_PROJECT "$project" 'the project of load balancer and members'
	needed ETCD_LB_REGION "$region" 'their region'
	needed ETCD_LB_NETWORK "$network" 'their network'
	like ETCD_LB_PROJECT '[a-z0-9.:-]+' "a project's identifier" "$project"
	like ETCD_LB_REGION '[a-z]+-[a-z]+[0-9]+' "a region's name, such as europe-west1" "$region"
	like ETCD_LB_DNS_MANAGED_ZONE '[a-z]([-a-z0-9]*[a-z0-9])?' "a managed zone's name, not its domain" "$dns_zone"
	like ETCD_LB_DNS_PROJECT '[a-z0-9.:-]+' "a project's identifier" "$dns_project"
}

check_apply() {
	check_remove
	needed ETCD_LB_SUBNETWORK "$subnetwork" "the subnetwork of the load balancer's address"
	like ETCD_LB_ADDRESS '[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+' 'an IPv4 address' "$address"
	if [ -z "$own_groups" ]; then
		needed ETCD_LB_MEMBERS "$members" "each member's zone, such as $(echo "$servers" | sed 's/ .*//')=europe-west1-b, or ETCD_LB_INSTANCE_GROUPS"
		covers "$members"
		like ETCD_LB_MEMBERS '[a-z0-9-]+=[a-z0-9-]+(/[a-z0-9-]+)?' 'pairs such as etcd-1=europe-west1-b' "$members"
	fi
	like ETCD_LB_INSTANCE_GROUPS '[a-z0-9-]+/[a-z0-9-]+' 'a zone and a group each, such as europe-west1-b/my-group' "$own_groups"
	like ETCD_LB_FIREWALL_RULES 'yes|no' 'yes or no' "$firewall"
	needed ETCD_LB_MEMBER_TAGS "$member_tags$member_accounts" 'at least one, else the rules would be for every machine of the network'
	like ETCD_LB_MEMBER_TAGS '[a-z]([-a-z0-9]*[a-z0-9])?' 'network tags' "$member_tags"
	like ETCD_LB_MEMBER_SERVICE_ACCOUNTS '.+@.+' 'addresses of service accounts' "$member_accounts"
	like ETCD_LB_CLIENT_TAGS '[a-z]([-a-z0-9]*[a-z0-9])?' 'network tags' "$client_tags"
	like ETCD_LB_MONITORING_TAGS '[a-z]([-a-z0-9]*[a-z0-9])?' 'network tags' "$monitoring_tags"
	like ETCD_LB_SERVICE_LABEL '[a-z]([-a-z0-9]*[a-z0-9])?' 'a DNS label' "$service_label"
	[ -z "$client_tags$monitoring_tags" ] || [ -z "$member_accounts" ] ||
		refuse "ETCD_LB_MEMBER_SERVICE_ACCOUNTS stands beside tags of others, which Google refuses in one rule; need one of the two"
	[ -z "$monitoring_tags" ] || [ -n "$metrics_port" ] ||
		refuse "ETCD_LB_MONITORING_TAGS has no port to admit them to; need cluster.metrics in the spec"
}

# ask runs a call that changes nothing. That there is nothing yet is no warning.
ask() { gcloud "$@" --verbosity=error --quiet </dev/null; }

# list_ours leaves in $found what has our names: name, description and more; in $ours what of it this script made.
list_ours() {
	columns=$1
	shift
	found=$(ask compute "$@" --filter="name~^$name(-|\$)" --format="value(name,description,$columns)")
	ours=$(echo "$found" | awk -F '\t' -v mark="$mark" 'NF && substr($2, length($2) - length(mark) + 1) == mark')
}

# free refuses a name $2 that is taken by what this script did not make, told by list_ours.
free() {
	! echo "$found" | cut -f 1 | grep -qxF "$2" || echo "$ours" | cut -f 1 | grep -qxF "$2" ||
		die "there is a $1 $2 that this script did not make; delete it, or give the cluster another name"
}

# row is the one of the lines $2 that begins with the field $1.
row() { echo "$2" | awk -F '\t' -v name="$1" '$1 == name'; }

# find_all learns what is there, and refuses what has our names and is not ours before anything is changed.
find_all() {
	list_ours 'address' addresses list --project="$project" --regions="$region"
	addresses=$ours
	address_name=$(echo "$addresses" | awk -F '\t' -v wanted="$address" 'NF && (wanted == "" || $3 == wanted) { print $1; exit }')
	if [ -z "$address_name" ]; then
		address_name=$name${address:+-$(echo "$address" | tr . -)}
		free 'reserved address' "$address_name"
	fi
	list_ours 'checkIntervalSec,timeoutSec,healthyThreshold,unhealthyThreshold,httpHealthCheck.port,httpHealthCheck.requestPath,tcpHealthCheck.port,logConfig.enable' \
		health-checks list --project="$project" --regions="$region"
	checks=$ours check=$name-$check_kind
	free 'health check' "$check"
	list_ours 'zone.basename()' instance-groups unmanaged list --project="$project"
	groups=$ours
	for zone in $(member_zones); do
		free 'instance group' "$name-$zone"
	done
	list_ours 'healthChecks[].map().basename().list(),connectionDraining.drainingTimeoutSec,connectionTrackingPolicy.connectionPersistenceOnUnhealthyBackends,sessionAffinity,backends[].group.map().scope(zones).list()' \
		backend-services list --project="$project" --regions="$region"
	service=$(row "$name" "$ours")
	free 'backend service' "$name"
	list_ours 'IPAddress,ports.list(),allowGlobalAccess,serviceLabel' forwarding-rules list --project="$project" --regions="$region"
	rules=$ours
	free 'forwarding rule' "$address_name"
	walls=
	if [ "$firewall" = yes ]; then
		list_ours 'sourceRanges.list(),sourceTags.list(),sourceServiceAccounts.list(),targetTags.list(),targetServiceAccounts.list(),allowed[].map().firewall_rule().list()' \
			firewall-rules list --project="$network_project"
		walls=$ours
		for wall in $(wanted_walls | cut -d ' ' -f 1); do
			free 'firewall rule' "$name-$wall"
		done
	fi
	record=
	if [ -n "$host" ] && [ -n "$dns_zone" ]; then
		record=$(ask dns record-sets list --project="$dns_project" --zone="$dns_zone" --name="$host." --type=A --format='value(rrdatas.list(),ttl)')
		[ -z "$record" ] || echo "$addresses" | cut -f 3 | grep -qxF "$(echo "$record" | cut -f 1)" ||
			die "$host has a record in $dns_zone that leads elsewhere than to $name; delete it first, or leave ETCD_LB_DNS_MANAGED_ZONE out"
	fi
}

# member_zones are the zones of the instance groups that are made.
member_zones() {
	[ -n "$own_groups" ] || for pair in $members; do
		place=${pair#*=}
		echo "${place%%/*}"
	done | LC_ALL=C sort -u
}

# instances_in are those of the members in a zone.
instances_in() {
	for pair in $members; do
		place=${pair#*=}
		case $place in
		"$1") echo "${pair%%=*}" ;;
		"$1"/*) echo "${place#*/}" ;;
		esac
	done
}

# wanted_walls are the firewall rules: name, ports, networks or "members" or tags with an @ before, what for.
wanted_walls() {
	firewall_rules
	[ -z "$client_tags" ] || echo "tagged-clients $port @$(sorted "$client_tags") Further clients"
	[ -z "$monitoring_tags" ] || echo "tagged-monitoring $metrics_port @$(sorted "$monitoring_tags") Further scrapers of members' metrics"
}
