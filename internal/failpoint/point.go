package failpoint

// Point is the number of a step. Numbers are never reused; those of one path
// have a decade.
type Point uint8

// Requests of the kernel, whatever they ask for.
const (
	RequestTaken    Point = 1 // read from the connection
	RequestServed   Point = 2 // done, the answer not sent
	RequestAnswered Point = 3
)

// A write of a whole page, and what a part of one shares with it.
const (
	WriteTouched    Point = 10 // the slot has memory
	WriteCompressed Point = 11
	WriteAllocated  Point = 12
	WriteFilled     Point = 13 // the object is there, nobody names it
	WriteLocked     Point = 14
	WriteCommitted  Point = 15
	WriteUnlocked   Point = 16
	WriteSettled    Point = 17 // the old object is free
)

// A write of a part of a page.
const (
	PartialLocked    Point = 20
	PartialRead      Point = 21
	PartialPrepared  Point = 22
	PartialCommitted Point = 23
	PartialUnlocked  Point = 24
)

// A discard, and a hint that a page is free.
const (
	FreeLocked    Point = 30
	FreeCommitted Point = 31
	FreeUnlocked  Point = 32
	FreeSettled   Point = 33
)

// A read.
const (
	ReadLocked   Point = 40
	ReadDecoded  Point = 41
	ReadAccessed Point = 42 // marks off, time of access new, lock held
)

// The pool.
const (
	PoolTaken   Point = 50 // an object is off its free list, its header still says free
	PoolHeaded  Point = 51 // the header says whose it is
	PoolStocked Point = 52 // a worker's reserve holds some
	PoolRun     Point = 53 // a run of pages has memory and no class
	PoolPut     Point = 54 // an object is back on its list, class locked
	PoolDropped Point = 55 // a zspage is forgotten, its pages have memory
	PoolPunched Point = 56 // its memory is gone, its address space not yet free
	PoolHuge    Point = 57 // a huge object has its page and no header
	ElementPut  Point = 60 // the cell of a same-filled element is written
	ElementFree Point = 61
)

// Compaction.
const (
	CompactIsolated  Point = 70
	CompactAllocated Point = 71 // room for the object at its new place
	CompactCopied    Point = 72 // bytes at both places, slot locked
	CompactMoved     Point = 73 // the word names the new place
	CompactFreed     Point = 74 // the old place is free
	CompactRejoined  Point = 75
)

// What recompression and writeback share.
const (
	PostMarked    Point = 80 // slot marked, locked for reading
	PostCopied    Point = 81 // private copy made, nothing locked
	PostLocked    Point = 82 // the mark stands, slot locked
	PostCommitted Point = 83 // the word names what is new, slot locked
	PostUnlocked  Point = 84 // what was there before is not free yet
	PostSettled   Point = 85
	PostFlagged   Point = 86 // the word has its flags, the mark stands
)

// Writeback.
const (
	WritebackReserved Point = 90 // budget and blocks taken
	WritebackFilled   Point = 91 // blocks are full, nothing sealed
	WritebackSealed   Point = 92 // seals of the blocks are new
	WritebackWritten  Point = 93 // blocks are on the device, words are old
	WritebackShared   Point = 94 // a block counts the object
	WritebackEnded    Point = 95 // words are new, blocks unused not given back
	WritebackGiven    Point = 96
)

// Recompression.
const (
	RecompressPacked    Point = 100
	RecompressAllocated Point = 101
	RecompressFilled    Point = 102
)

// Set-up and reset.
const (
	DisksizeOpened   Point = 110 // streams are open
	DisksizeReserved Point = 111 // arenas are there
	DisksizeHeld     Point = 112 // a successor would get them
	DisksizeRecorded Point = 113 // the record says that the disk is set up
	DisksizeLive     Point = 114 // I/O may begin
	DisksizeTold     Point = 115 // kernel and loop device know the size

	ResetClaimed  Point = 120 // the image cannot be opened any more
	ResetHidden   Point = 121 // I/O finds no disk
	ResetRecorded Point = 122 // the record says that there is none
	ResetClosed   Point = 123 // arenas are gone
	ResetDropped  Point = 124 // a successor would not get them any more
)

// Settings and control files.
const (
	SettingChanged  Point = 130 // in memory
	SettingHalf     Point = 131 // one half of the record is new, the other is true
	SettingRecorded Point = 132

	ControlNoted     Point = 140 // the journal says that it began
	ControlDone      Point = 141 // the verb has done its work
	ControlJournaled Point = 142 // the journal knows the result
	OpenCounted      Point = 143 // an open of the image is in the table
	OpenReleased     Point = 144
)

// A successor takes over.
const (
	AdoptMapped   Point = 150 // arenas are mapped, nothing changed
	AdoptUnlocked Point = 151 // slot locks and marks are off
	AdoptClaimed  Point = 152 // half of the objects are claimed
	AdoptPool     Point = 153 // the pool stands
	AdoptDevice   Point = 154 // the device stands
	AdoptInit     Point = 155 // go-fuse has its INIT
	AdoptSized    Point = 157 // kernel and loop device were told the size
	AdoptResend   Point = 158 // unanswered requests are asked for again
	AdoptServing  Point = 159 // the keeper knows
)

// Snapshots.
const (
	SnapshotHeld  Point = 170 // the moment is chosen, I/O is held up
	SnapshotChunk Point = 171 // a part is written
	SnapshotSaved Point = 172 // an object is saved that is about to be freed
	SnapshotEnd   Point = 173 // all but the trailer is written
	RestoreChunk  Point = 174 // a part is in the pool
	RestoreLoaded Point = 175 // all of it, the disk is not live
)

// Devices that come and go.
const (
	AddRecorded Point = 180 // the record says that it is being made
	AddHeld     Point = 181 // the engine's device is held
	AddAttached Point = 182 // its loop device is attached, not noted
	AddHooked   Point = 183 // the hook was told
	AddNoted    Point = 184 // the journal knows the device, which does not count yet
	AddPresent  Point = 185 // it counts

	RemoveSeized    Point = 190 // nobody uses it, the record says that it is being removed
	RemoveHooked    Point = 191 // the hook was told
	RemoveDetached  Point = 192 // its loop device is detached, which is not noted
	RemoveForgotten Point = 193 // requests do not find it, the kernel was told
	RemoveDropped   Point = 194 // nothing of it is held any more
	RemoveGone      Point = 195 // nor is there a record
)

// Faults: steps that may fail or fall short rather than end the process.
const (
	BackingRead  Point = 200 // error
	BackingWrite Point = 201 // error
	Compress     Point = 202 // error
	Decompress   Point = 203 // error
	Memory       Point = 204 // error: memory for an arena
	ConnRead     Point = 205 // error, short: a request
	ConnWrite    Point = 206 // error, short: an answer
	Worker       Point = 207 // stall: between two requests
)

// numberOfPoints is one more than any has.
const numberOfPoints = 208

// Name is a point's name in texts, "" if there is no such point.
func (p Point) Name() string {
	for i := range steps {
		if steps[i].Point == p {
			return steps[i].Name
		}
	}
	return ""
}

// Lookup finds a point by name.
func Lookup(name string) (Point, bool) {
	for i := range steps {
		if steps[i].Name == name {
			return steps[i].Point, true
		}
	}
	return 0, false
}
