package rules

// All are the rules, sorted by id.
var All = []Rule{
	certLBSAN,
	checkTCPOnly,
	cloudIdleDefault,
	hairpin,
	ignoreExpired,
	ignoreWithoutReason,
	lbPublic,
	nlbCrossZone,
	nlbDeregistration,
	nlbSecurityGroup,
	peerViaLB,
	probeSource,
	spec,
	syntax,
	tcpReset,
	unsupported,
	unusedIgnore,
	vrrpDefaultID,
	vrrpIDCollision,
	vrrpMulticast,
	vrrpPriorityTie,
	watchTimeout,
}
