package rules

// All are the rules, sorted by id.
var All = []Rule{
	certLBSAN,
	checkTCPOnly,
	ignoreExpired,
	ignoreWithoutReason,
	peerViaLB,
	spec,
	syntax,
	unsupported,
	unusedIgnore,
	vrrpDefaultID,
	vrrpIDCollision,
	vrrpMulticast,
	vrrpPriorityTie,
	watchTimeout,
}
