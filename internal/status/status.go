package status

// Status is one mount. Sizes are in bytes.
type Status struct {
	Version        string  `json:"version"`
	WorkerPID      int     `json:"worker_pid"` // the process that serves the mount
	KeeperPID      *int    `json:"keeper_pid"` // null while there is none
	Standby        bool    `json:"standby"`    // another process is ready to take over
	Takeovers      uint64  `json:"takeovers"`
	TakeoverMS     float64 `json:"last_takeover_ms"` // from the death to serving again, of the last one
	StandbyWaitS   int     `json:"standby_wait_s"`   // until a standby is tried again, where too many have died
	UpgradeRefused string  `json:"upgrade_refused"`  // why the last upgrade was not done, "" if it was
	Mount          string  `json:"mount"`            // where it is mounted
	Multi          bool    `json:"multi"`            // it has many devices, each with a directory and a status of its own
	Dir            string  `json:"dir"`              // the device's; the mount's where it is a mount's status
	Image          string  `json:"image"`
	Loop           *string `json:"loop"` // the device's own loop device, null if it has none
	Swap           bool    `json:"swap"` // the loop device is swap space that goes with the mount
	Transport      string  `json:"transport"`
	Disksize       uint64  `json:"disksize"`
	Initialised    bool    `json:"initialised"`
	Algorithm      string  `json:"algorithm"` // the primary one
	Resend         bool    `json:"resend"`    // the kernel sends unanswered requests again after a take-over
	Workers        int     `json:"workers"`
	Guards         []Guard `json:"guards"`
	Stats          Stats   `json:"stats"`
	Runtime        Runtime `json:"runtime"`

	Algorithms []Algorithm `json:"algorithms"` // one for each priority that has one
	Devices    []Device    `json:"devices"`    // of a mount with many, in its own status; figures are their sums there
}

// Device is one of many that a mount has.
type Device struct {
	Number      int     `json:"number"`
	Dir         string  `json:"dir"`
	Loop        *string `json:"loop"` // the device's own loop device, null if it has none
	Disksize    uint64  `json:"disksize"`
	Initialised bool    `json:"initialised"`
}

// Algorithm is one of a mount's algorithms with what was chosen for it; what was
// not is null and has the algorithm's default.
type Algorithm struct {
	Priority  int    `json:"priority"` // 0 is the primary one
	Name      string `json:"name"`
	Level     *int32 `json:"level"`
	WinBits   *int32 `json:"winbits"`
	DictBytes int    `json:"dict_bytes"` // 0 = none
	Contexts  int    `json:"contexts"`   // encoders and decoders; 0 before the disk is set up
	Memory    uint64 `json:"memory"`     // bytes, of the contexts and the dictionary
}

// GuardState says what became of a safety measure.
type GuardState string

// The states of a guard.
const (
	GuardActive  GuardState = "active"
	GuardRefused GuardState = "refused" // the right or the kernel feature is missing
	GuardOff     GuardState = "off"     // not asked for, or not needed now
)

// Guard is one measure that keeps the daemon safe under memory pressure.
type Guard struct {
	Name   string     `json:"name"`
	State  GuardState `json:"state"`
	Reason string     `json:"reason"` // why it is refused or off; "" or a detail when active
}

// Runtime is what the Go runtime of the serving process has done so far.
type Runtime struct {
	Mallocs    uint64 `json:"mallocs"` // heap objects allocated
	HeapBytes  uint64 `json:"heap_bytes"`
	GCCycles   uint32 `json:"gc_cycles"`
	Goroutines int    `json:"goroutines"`

	// How long all goroutines stood still for the garbage collector.
	GCPauseTotalNS uint64 `json:"gc_pause_total_ns"`
	GCPauseMaxNS   uint64 `json:"gc_pause_max_ns"` // of the last 256 pauses

	// Page faults of all threads: served from memory, and such that waited for a disk.
	MinorFaults int64 `json:"minor_faults"`
	MajorFaults int64 `json:"major_faults"`
}
