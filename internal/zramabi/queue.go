package zramabi

// QueueAttr is a file of a device's queue directory.
type QueueAttr struct {
	Name  string
	Mode  uint32 // permission bits, as a loop device has them
	Value string // of a device that has no loop device to ask
}

// Queue lists the files that queue directories of Linux have had, in the order in
// which they became known here: new ones go to the end. Values are those of zram
// where it has its own, else a loop device's.
var Queue = []QueueAttr{
	{"add_random", 0o644, "0"},
	{"atomic_write_boundary_bytes", 0o444, "0"},
	{"atomic_write_max_bytes", 0o444, "0"},
	{"atomic_write_unit_max_bytes", 0o444, "0"},
	{"atomic_write_unit_min_bytes", 0o444, "0"},
	{"chunk_sectors", 0o444, "0"},
	{"dax", 0o444, "0"},
	{"discard_granularity", 0o444, "4096"},
	{"discard_max_bytes", 0o644, "2199023255040"},
	{"discard_max_hw_bytes", 0o444, "2199023255040"},
	{"discard_zeroes_data", 0o444, "0"},
	{"dma_alignment", 0o444, "511"},
	{"fua", 0o444, "0"},
	{"hw_sector_size", 0o444, "4096"},
	{"io_poll", 0o644, "0"},
	{"io_poll_delay", 0o644, "-1"},
	{"iostats", 0o644, "1"},
	{"iostats_passthrough", 0o644, "0"},
	{"logical_block_size", 0o444, "4096"},
	{"max_discard_segments", 0o444, "1"},
	{"max_hw_sectors_kb", 0o444, "1280"},
	{"max_integrity_segments", 0o444, "0"},
	{"max_sectors_kb", 0o644, "1280"},
	{"max_segment_size", 0o444, "65536"},
	{"max_segments", 0o444, "128"},
	{"max_write_streams", 0o444, "0"},
	{"minimum_io_size", 0o444, "4096"},
	{"nomerges", 0o644, "0"},
	{"nr_requests", 0o644, "128"},
	{"nr_zones", 0o444, "0"},
	{"optimal_io_size", 0o444, "4096"},
	{"physical_block_size", 0o444, "4096"},
	{"read_ahead_kb", 0o644, "128"},
	{"rotational", 0o644, "0"},
	{"rq_affinity", 0o644, "1"},
	{"scheduler", 0o644, "none"},
	{"stable_writes", 0o644, "1"},
	{"virt_boundary_mask", 0o444, "0"},
	{"wbt_lat_usec", 0o644, "0"},
	{"write_cache", 0o644, "write back"},
	{"write_same_max_bytes", 0o444, "0"},
	{"write_stream_granularity", 0o444, "0"},
	{"write_zeroes_max_bytes", 0o444, "2199023255040"},
	{"write_zeroes_unmap_max_bytes", 0o644, "0"},
	{"write_zeroes_unmap_max_hw_bytes", 0o444, "0"},
	{"zone_append_max_bytes", 0o444, "0"},
	{"zone_write_granularity", 0o444, "0"},
	{"zoned", 0o444, "none"},
	{"io_timeout", 0o644, "30000"},
	{"max_open_zones", 0o444, "0"},
	{"max_active_zones", 0o444, "0"},
	{"throttle_sample_time", 0o644, "100"},
	{"async_depth", 0o644, "128"},
}
