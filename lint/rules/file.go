package rules

// The rules in this file are about the input itself. Their findings are made while it is read.

var spec = Rule{
	ID:       "spec",
	Title:    "the spec breaks a constraint",
	Severity: "error",
	Why:      "A value that is missing, of the wrong kind or in conflict with another one cannot be compiled to anything sensible.",
	Fix:      "Change the value at the position; the message says what is needed.",
}

var syntax = Rule{
	ID:       "syntax",
	Title:    "a file cannot be read",
	Severity: "error",
	Why:      "What is not read is not judged. The rest of the file, as far as it could be read, and all other files are linted all the same.",
	Fix:      "Correct the syntax at the position, or leave the file out.",
}

var unsupported = Rule{
	ID:       "unsupported",
	Title:    "a target cannot express what the spec asks for",
	Severity: "error or warning",
	Why:      "A setting that is dropped in silence looks as if it were in force.",
	Fix:      "Change the setting, or choose a target that can express it.",
}

var ignoreWithoutReason = Rule{
	ID:       "ignore-without-reason",
	Title:    "a suppression gives no reason",
	Severity: "error",
	Why:      "Whoever reads the file next must know whether the finding may come back. A suppression without a reason suppresses nothing.",
	Fix:      "Write the reason behind the rule: # etcdlbgen:ignore RULE reason.",
}

var unusedIgnore = Rule{
	ID:       "unused-ignore",
	Title:    "a suppression suppresses nothing",
	Severity: "warning",
	Why:      "It hides the next finding of that rule on that line, which nobody has judged.",
	Fix:      "Remove the comment, or move it to the line of the finding or the line above it.",
}

var ignoreExpired = Rule{
	ID:       "ignore-expired",
	Title:    "a suppression is past its date",
	Severity: "warning",
	Why:      "Somebody promised to look at the finding again by now. The finding is back.",
	Fix:      "Solve the finding, or set a later until=YYYY-MM-DD.",
}
