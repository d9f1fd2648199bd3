package status

// Status is one mount. Sizes are in bytes.
type Status struct {
	Version     string  `json:"version"`
	WorkerPID   int     `json:"worker_pid"` // the process that serves the mount
	KeeperPID   *int    `json:"keeper_pid"` // null while there is none
	Dir         string  `json:"dir"`
	Image       string  `json:"image"`
	Loop        *string `json:"loop"` // the mount's own loop device, null if it has none
	Transport   string  `json:"transport"`
	Disksize    uint64  `json:"disksize"`
	Initialised bool    `json:"initialised"`
	Algorithm   string  `json:"algorithm"`
	Workers     int     `json:"workers"`
	Guards      []Guard `json:"guards"`
	Stats       Stats   `json:"stats"`
	Runtime     Runtime `json:"runtime"`
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
}
