package status

// Check is the result of a check of one device, the text of debug/check.
type Check struct {
	Slots         uint64   `json:"slots"`   // in use
	Objects       uint64   `json:"objects"` // that slots name
	Zspages       uint64   `json:"zspages"`
	Holds         uint64   `json:"holds"`           // how often I/O was held up
	LongestHoldNS int64    `json:"longest_hold_ns"` // with the wait for requests under way
	Findings      []string `json:"findings"`        // what differs; empty when all is well
	More          uint64   `json:"more"`            // findings beyond those listed
}
