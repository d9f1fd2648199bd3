package failpoint

// Step is a point as the documentation has it.
type Step struct {
	Point Point
	Name  string // <path>-<what has just happened>
	Path  string // what is under way
	State string // what has happened so far, and what not
	Then  string // what must hold after a death here
}

// Steps are all points, ascending.
func Steps() []Step { return steps }

// Outcomes that many steps share. "Sent again" is by the kernel, to the next
// worker.
const (
	oldPage    = "the page is old until the request, sent again, is done"
	newPage    = "the page is new; the request is sent again and changes nothing"
	freeAgain  = oldPage + "; the new object is free"
	lockOff    = "the slot's lock is off"
	oldObject  = "; the object of before is free"
	asBefore   = "the page reads as before"
	stays      = asBefore + "; object, size and algorithm too"
	notSetUp   = "not set up; nothing of it is held; the verb, sent again, sets it up"
	setUp      = "set up, with a disk of zeros; the verb, sent again, succeeds"
	isReset    = "not set up; nothing of it is held; the verb, sent again, succeeds"
	verbAgain  = "the verb is done again, with the effect of one"
	noSnapshot = "the snapshot fails and leaves no file, or is begun anew and whole; the disk goes on"
	notAdded   = "nothing of it is left; the request, sent again, adds one"
	removed    = "the successor removes what is left; the request is sent again and succeeds"
	adoptNext  = "the next successor takes over from the same state"
)

var steps = []Step{
	{RequestTaken, "request-taken", "request", "read from the connection, nothing done", "sent again; nobody waits for ever"},
	{RequestServed, "request-served", "request", "done, the answer not sent", "sent again, with the effect of one"},
	{RequestAnswered, "request-answered", "request", "answered", "not sent again; what was written is there"},

	{WriteTouched, "write-touched", "write", "the slot has memory", oldPage},
	{WriteCompressed, "write-compressed", "write", "compressed, nothing allocated", oldPage},
	{WriteAllocated, "write-allocated", "write", "the object has its place and no content", freeAgain},
	{WriteFilled, "write-filled", "write", "the object is complete, no word names it", freeAgain},
	{WriteLocked, "write-locked", "write", "the slot is locked, its word is old", freeAgain + "; " + lockOff},
	{WriteCommitted, "write-committed", "write", "the word is new, the slot locked", newPage + "; " + lockOff + oldObject},
	{WriteUnlocked, "write-unlocked", "write", "the slot is unlocked, the object of before not free", newPage + oldObject},
	{WriteSettled, "write-settled", "write", "the object of before is free, the request's counts are not added", newPage},

	{PartialLocked, "partial-locked", "partial write", "the slot is locked, nothing read", oldPage + "; " + lockOff},
	{PartialRead, "partial-read", "partial write", "the page is read and changed in the worker's memory", oldPage + "; " + lockOff},
	{PartialPrepared, "partial-prepared", "partial write", "the new object is complete, the word old", freeAgain + "; " + lockOff},
	{PartialCommitted, "partial-committed", "partial write", "the word is new, the slot locked", newPage + "; " + lockOff + oldObject},
	{PartialUnlocked, "partial-unlocked", "partial write", "the slot is unlocked, the object of before not free", newPage + oldObject},

	{FreeLocked, "free-locked", "free", "the slot is locked, its word is old", oldPage + "; " + lockOff},
	{FreeCommitted, "free-committed", "free", "the word is empty, the slot locked", newPage + "; " + lockOff + oldObject},
	{FreeUnlocked, "free-unlocked", "free", "the slot is unlocked, its object not free", newPage + oldObject},
	{FreeSettled, "free-settled", "free", "the object is free, pages to come are as they were", "pages up to here are zeros, the others old, until the request, sent again, is done"},

	{ReadLocked, "read-locked", "read", "the slot is locked for reading", asBefore + "; " + lockOff},
	{ReadDecoded, "read-decoded", "read", "the page is in the answer, the access not noted", asBefore + "; " + lockOff},
	{ReadAccessed, "read-accessed", "read", "marks are off and the time of access is new, the slot locked", asBefore + "; " + lockOff + "; idle only if nobody read it"},

	{PoolTaken, "pool-taken", "pool", "an object is off its free list, its header says free", oldPage + "; the object is free"},
	{PoolHeaded, "pool-headed", "pool", "its header names the slot, the slot does not name it", oldPage + "; the object is free"},
	{PoolStocked, "pool-stocked", "pool", "a worker's reserve has been filled", oldPage + "; the reserve's objects are free"},
	{PoolRun, "pool-run", "pool", "pages have memory, no zspage is in them", oldPage + "; the pages are free, their memory given back"},
	{PoolPut, "pool-put", "pool", "a freed object is on its list, its class locked", newPage + "; the object is free once"},
	{PoolDropped, "pool-dropped", "pool", "an empty zspage is forgotten, its pages have memory", newPage + "; the pages are free, their memory given back"},
	{PoolPunched, "pool-punched", "pool", "their memory is gone, their address space not yet free", newPage + "; the pages are free"},
	{PoolHuge, "pool-huge", "pool", "a page for a huge object is taken, nothing names it", oldPage + "; the page is free"},
	{ElementPut, "element-put", "same-filled", "the element is in its cell, no word names it", oldPage + "; the cell is free"},
	{ElementFree, "element-free", "same-filled", "no word names the cell, it is not on the free list", newPage + "; the cell is free"},

	{CompactIsolated, "compact-isolated", "compact", "a zspage is off its list", stays},
	{CompactAllocated, "compact-allocated", "compact", "room at the new place is taken", stays + "; the room is free"},
	{CompactCopied, "compact-copied", "compact", "the bytes are at both places, the word is old, the slot locked", stays + "; " + lockOff + "; the new place is free"},
	{CompactMoved, "compact-moved", "compact", "the word names the new place, the slot locked", asBefore + "; " + lockOff + "; the old place is free"},
	{CompactFreed, "compact-freed", "compact", "the old place is free, its zspage off the list", asBefore},
	{CompactRejoined, "compact-rejoined", "compact", "the zspage is back, or its pages are given back", asBefore},

	{PostMarked, "post-marked", "recompress, writeback", "the slot is marked and locked for reading", stays + "; lock and mark are off"},
	{PostCopied, "post-copied", "recompress, writeback", "the object is copied, nothing locked", stays + "; the mark is off"},
	{PostLocked, "post-locked", "recompress, writeback", "the mark stands, the slot is locked, the new object or block complete", stays + "; lock and mark are off; the new object or block is free"},
	{PostCommitted, "post-committed", "recompress, writeback", "the word names what is new, the slot locked", asBefore + "; " + lockOff + oldObject},
	{PostUnlocked, "post-unlocked", "recompress, writeback", "the slot is unlocked, the object of before not free", asBefore + oldObject},
	{PostSettled, "post-settled", "recompress, writeback", "the object of before is free", asBefore},
	{PostFlagged, "post-flagged", "recompress, writeback", "the word has its flags, the mark stands, the slot locked", stays + "; lock and mark are off"},

	{WritebackReserved, "writeback-reserved", "writeback", "blocks and budget are taken, no slot marked", stays + "; blocks and budget are given back"},
	{WritebackFilled, "writeback-filled", "writeback", "objects are in the run's blocks, nothing sealed or written", stays + "; blocks are given back, marks are off"},
	{WritebackSealed, "writeback-sealed", "writeback", "blocks are sealed, nothing written", stays + "; blocks are given back; no nonce comes twice"},
	{WritebackWritten, "writeback-written", "writeback", "blocks are on the device, no word names them", stays + "; blocks are given back"},
	{WritebackShared, "writeback-shared", "writeback", "a block counts an object that no word says is in it", stays + "; the block counts its words"},
	{WritebackEnded, "writeback-ended", "writeback", "words name their blocks, blocks unused are not given back", asBefore + "; blocks unused are given back"},
	{WritebackGiven, "writeback-given", "writeback", "blocks unused are given back, the stretch not counted", asBefore},

	{RecompressPacked, "recompress-packed", "recompress", "compressed anew, nothing allocated", stays + "; the mark is off"},
	{RecompressAllocated, "recompress-allocated", "recompress", "the new object has its place and no content", stays + "; the new object is free, the mark off"},
	{RecompressFilled, "recompress-filled", "recompress", "the new object is complete, nobody names it", stays + "; the new object is free, the mark off"},

	{DisksizeOpened, "disksize-opened", "disksize", "streams are open, no memory taken", notSetUp},
	{DisksizeReserved, "disksize-reserved", "disksize", "the arenas are made, nobody else has them", notSetUp},
	{DisksizeHeld, "disksize-held", "disksize", "the arenas are held, the record says not set up", notSetUp},
	{DisksizeRecorded, "disksize-recorded", "disksize", "the record says set up, I/O finds no disk", setUp},
	{DisksizeLive, "disksize-live", "disksize", "I/O finds the disk, the kernel knows no size", setUp},
	{DisksizeTold, "disksize-told", "disksize", "the kernel and the loop device know the size", setUp},

	{ResetClaimed, "reset-claimed", "reset", "the image cannot be opened, the disk is there", "the disk is as before; the verb, sent again, resets it"},
	{ResetHidden, "reset-hidden", "reset", "I/O finds no disk, the record says set up", "the disk is as before; the verb, sent again, resets it"},
	{ResetRecorded, "reset-recorded", "reset", "the record says not set up, the arenas are held", isReset},
	{ResetClosed, "reset-closed", "reset", "the arenas are closed here, and held", isReset},
	{ResetDropped, "reset-dropped", "reset", "nothing is held, settings are as they were", isReset},

	{SettingChanged, "setting-changed", "settings", "changed in memory, the record is old", "the old setting until the verb, sent again, is done"},
	{SettingHalf, "setting-half", "settings", "the new half of the record is written, the old one counts", "the old setting until the verb, sent again, is done"},
	{SettingRecorded, "setting-recorded", "settings", "the new half counts", "the new setting"},

	{ControlNoted, "control-noted", "control write", "the journal says that the write began", verbAgain},
	{ControlDone, "control-done", "control write", "the verb is done, the journal does not know", verbAgain},
	{ControlJournaled, "control-journaled", "control write", "the journal has the result, the answer is not sent", "sent again, answered from the journal"},
	{OpenCounted, "open-counted", "open", "an open of the image is in the table, not answered", "sent again, counted once"},
	{OpenReleased, "open-released", "open", "a closed one is out of the table, not answered", "sent again, counted once"},

	{AdoptMapped, "adopt-mapped", "take-over", "arenas are mapped, nothing changed", adoptNext},
	{AdoptUnlocked, "adopt-unlocked", "take-over", "slot locks and marks are off", adoptNext},
	{AdoptClaimed, "adopt-claimed", "take-over", "objects are claimed, the pool is not made", adoptNext},
	{AdoptPool, "adopt-pool", "take-over", "the pool is made", adoptNext},
	{AdoptDevice, "adopt-device", "take-over", "the device is made", adoptNext},
	{AdoptInit, "adopt-init", "take-over", "go-fuse has its INIT", adoptNext},
	{AdoptSized, "adopt-sized", "take-over", "kernel and loop device know the size", adoptNext},
	{AdoptResend, "adopt-resend", "take-over", "the kernel sends unanswered requests again, nobody reads them", adoptNext},
	{AdoptServing, "adopt-serving", "take-over", "the keeper knows that the worker serves", adoptNext},

	{SnapshotHeld, "snapshot-held", "snapshot", "the moment is chosen, I/O is held up", noSnapshot},
	{SnapshotChunk, "snapshot-chunk", "snapshot", "a part is written", noSnapshot},
	{SnapshotSaved, "snapshot-saved", "snapshot", "an object that is about to be freed is saved", noSnapshot + "; the page is new"},
	{SnapshotEnd, "snapshot-end", "snapshot", "all is written but the end", noSnapshot},
	{RestoreChunk, "restore-chunk", "restore", "some pages are in the pool, the record says not set up", "the restore fails; not set up"},
	{RestoreLoaded, "restore-loaded", "restore", "all is in the pool, the record says not set up", "the restore fails; not set up"},

	{AddRecorded, "add-recorded", "hot_add", "the number is taken, there is no device", notAdded},
	{AddHeld, "add-held", "hot_add", "the device is held, nobody finds it", notAdded},
	{AddAttached, "add-attached", "hot_add", "its loop device is attached, which is not noted", notAdded},
	{AddHooked, "add-hooked", "hot_add", "the hook was told, the record does not say that it is there", notAdded},
	{AddNoted, "add-noted", "hot_add", "the journal knows the device, the record does not say that it is there", notAdded},
	{AddPresent, "add-present", "hot_add", "the record says that it is there, the journal not that the request is done", "it is there; the request is sent again and gets its number"},

	{RemoveSeized, "remove-seized", "hot_remove", "the record says that it goes, nothing is done", removed},
	{RemoveHooked, "remove-hooked", "hot_remove", "the hook was told", removed},
	{RemoveDetached, "remove-detached", "hot_remove", "its loop device is detached, which is not noted", removed},
	{RemoveForgotten, "remove-forgotten", "hot_remove", "nobody finds it, all is still held", removed},
	{RemoveDropped, "remove-dropped", "hot_remove", "nothing of it is held, its number is taken", removed},
	{RemoveGone, "remove-gone", "hot_remove", "its number is free, the journal does not say that the request is done", removed},

	{BackingRead, "backing-read", "fault", "a block cannot be read", "EIO for that page, no wrong data; counted"},
	{BackingWrite, "backing-write", "fault", "a block cannot be written", "the page stays in memory, idle mark and all"},
	{Compress, "compress", "fault", "the codec fails to compress", "EIO for the write; the page is old"},
	{Decompress, "decompress", "fault", "the codec fails to decompress", "EIO for the read, no wrong data"},
	{Memory, "memory", "fault", "there is no memory for an arena", "EIO for the write, ENOMEM for a verb; the page is old"},
	{ConnRead, "conn-read", "fault", "a request cannot be read, or comes cut", "a request cut short is answered with EIO; nobody waits for ever"},
	{ConnWrite, "conn-write", "fault", "an answer is not taken, or cut", "the request is answered with EIO; nobody waits for ever"},
	{Worker, "worker", "fault", "a worker stalls between two requests", "the others serve; nothing is lost"},
}
