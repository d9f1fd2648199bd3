package zramabi

// MaxWrite is how much of one write(2) a control file takes, in bytes; the rest
// is cut off and the write reported as that long. It is also the size that
// stat(2) shows for every control file.
const MaxWrite = 4096

// Attr is one control file.
type Attr struct {
	Name string
	Mode uint32 // permission bits; they hold for root too
	Doc  string // one line for help and manual
}

// Readable reports whether the file can be opened for reading.
func (a Attr) Readable() bool { return a.Mode&0o444 != 0 }

// Writable reports whether the file can be opened for writing.
func (a Attr) Writable() bool { return a.Mode&0o222 != 0 }

// Device lists the attributes of a device's directory.
var Device = []Attr{
	{"disksize", 0o644, "size of the disk in bytes; writing it sets the device up"},
	{"initstate", 0o444, "1 when disksize is set, else 0"},
	{"reset", 0o200, "any number but 0 drops the disk, its contents and its settings"},
	{"comp_algorithm", 0o644, "algorithms, the chosen one in brackets; write a name to choose"},
	{"algorithm_params", 0o200, "parameters of an algorithm: priority= algo= level= dict= deflate.winbits="},
	{"recomp_algorithm", 0o644, "secondary algorithms, one line for each priority; write algo= priority= to choose"},
	{"recompress", 0o200, "compress pages again: type= threshold= max_pages= algo= priority="},
	{"mem_limit", 0o200, "most memory the pool may take; 0 = no limit"},
	{"mem_used_max", 0o200, "0 sets the highest use seen to the present one"},
	{"mm_stat", 0o444, "memory: data, compressed, used, limit, highest use, same-filled, compacted, huge, huge since"},
	{"io_stat", 0o444, "failed reads, failed writes, invalid requests, freed pages"},
	{"debug_stat", 0o444, "version of the format, missed frees"},
	{"compact", 0o200, "any write makes the pool denser"},
	{"backing_dev", 0o644, "block device or plain file to which pages are written back, none at first"},
	{"writeback", 0o200, "move pages to the backing device: idle, huge, huge_idle, incompressible, page_index= page_indexes="},
	{"writeback_limit_enable", 0o644, "1 when writeback_limit holds, else 0"},
	{"writeback_limit", 0o644, "how many blocks of 4 KiB may still be written back"},
	{"writeback_batch_size", 0o644, "how many blocks may be on their way to the backing device at a time"},
	{"compressed_writeback", 0o644, "1 to write compressed objects back as they are, 0 to decompress them first"},
	{"writeback_pack", 0o644, "1 to put as many objects into a block as it has room for, with compressed_writeback"},
	{"writeback_checksum", 0o644, "1 to check blocks of the backing device when they are read"},
	{"writeback_encryption", 0o644, "1 to encrypt blocks of the backing device with a key that is never stored"},
	{"bd_stat", 0o444, "backing device: blocks in use, blocks read, blocks written"},
	{"idle", 0o200, "all, or an age in seconds: marks pages that hold memory and were not used since as idle"},
	{"stat", 0o444, "block layer statistics, 17 numbers"},
	{"size", 0o444, "size of the disk in sectors of 512 bytes"},
	{"ro", 0o444, "1 when the disk is read-only: never"},
	{"removable", 0o444, "1 when the disk is removable: never"},
}

// Debug lists the files of a device's debug directory. block_state and classes
// are the kernel's (in debugfs), the others are uzram's own.
var Debug = []Attr{
	{"block_state", 0o400, "each page in use: index, time of last access, flags"},
	{"page_state", 0o400, "as block_state, and the object's size in bytes (0 = none in memory) and its algorithm's priority"},
	{"classes", 0o444, "size classes of the pool and how full their zspages are"},
	{"status", 0o444, "the mount as one JSON object"},
	{"control", 0o200, "one verb of the daemon per write"},
	{"check", 0o400, "reading it checks the device against its slot table; the result as one JSON object"},
	{"snapshot", 0o400, "reading it once, from its beginning to its end, makes a snapshot of the disk"},
	{"restore", 0o200, "writing a snapshot to it sets the disk up as it was; close says what came of it"},
}

// Block lists what a device's directory has of the block layer beside what Device
// has of it.
var Block = []Attr{
	{"dev", 0o444, "number of the own loop device, MAJOR:MINOR; 0:0 while there is none"},
	{"uevent", 0o644, "the device as a device manager is told of it; writes have no effect"},
	{"range", 0o444, "minor numbers: 1"},
	{"ext_range", 0o444, "minor numbers with those of partitions"},
	{"hidden", 0o444, "1 when the disk is hidden: never"},
	{"capability", 0o444, "flags of the disk: none"},
	{"alignment_offset", 0o444, "bytes by which the disk is out of line: 0"},
	{"discard_alignment", 0o444, "bytes by which discards are out of line: 0"},
	{"diskseq", 0o444, "how many disks the machine had when the own loop device was attached"},
	{"inflight", 0o444, "reads and writes under way"},
}

// ControlClass lists the files of the class directory of a mount with many devices.
var ControlClass = []Attr{
	{"hot_add", 0o400, "each read makes a device and shows its number"},
	{"hot_remove", 0o200, "the number of a device that is to go"},
}

// Lookup finds a file by name in the tables, of which Device and Debug have one
// directory each.
func Lookup(name string) (Attr, bool) {
	for _, table := range [][]Attr{Device, Debug, Block, ControlClass} {
		for _, a := range table {
			if a.Name == name {
				return a, true
			}
		}
	}
	return Attr{}, false
}
