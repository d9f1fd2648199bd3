package lockdep

// Rank is a lock's place in the order, outermost first. See the package comment.
type Rank uint8

const (
	Settings Rank = iota
	Pass
	Crew
	Gate
	Opens
	Slot
	Class
	Leaf
	Bucket
	ranks
)

var rankNames = [ranks]string{"settings", "pass", "crew", "gate", "opens", "slot", "class", "leaf", "bucket"}

func (r Rank) String() string { return rankNames[r] }

// Types that stand for ranks, for Mutex and RWMutex.
type (
	SettingsRank struct{}
	PassRank     struct{}
	CrewRank     struct{}
	GateRank     struct{}
	OpensRank    struct{}
	ClassRank    struct{}
	LeafRank     struct{}
	BucketRank   struct{}
)

type ranked interface{ rank() Rank }

func (SettingsRank) rank() Rank { return Settings }
func (PassRank) rank() Rank     { return Pass }
func (CrewRank) rank() Rank     { return Crew }
func (GateRank) rank() Rank     { return Gate }
func (OpensRank) rank() Rank    { return Opens }
func (ClassRank) rank() Rank    { return Class }
func (LeafRank) rank() Rank     { return Leaf }
func (BucketRank) rank() Rank   { return Bucket }

// Mode is how a lock is held.
type Mode bool

const (
	Read  Mode = false
	Write Mode = true
)

func (m Mode) String() string {
	if m == Write {
		return "write"
	}
	return "read"
}

// ID names a lock: the address of its word, which never moves.
type ID uintptr
