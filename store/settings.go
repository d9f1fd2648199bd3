package store

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/failpoint"
)

// priorities is how many algorithms a device can have: 0 is the primary, the
// rest are secondary ones.
const priorities = 4

// settings is what was chosen for a device, and whether it is set up: what a
// successor reads in the record.
type settings struct {
	algorithm [priorities]string // "" = none; the primary always has one
	params    [priorities]compress.Params
	memLimit  uint64 // pages; 0 = none
	backing   string // path of the backing device; "" = none
	blocks    uint64 // of the backing device, when it was taken

	// Stay at a reset.
	wipe                                bool // zero what is freed
	compressed, pack, checksum, encrypt bool
	backings                            uint64 // how many backing devices there were
	generation                          uint64 // how often the device was set up

	disksize uint64 // bytes; 0 = not set up

	before *settings // those that a restore under way replaces, and a death brings back
}

func defaultSettings() settings {
	var s settings
	s.defaultAlgorithms()
	return s
}

func (s *settings) defaultAlgorithms() {
	s.algorithm, s.params = [priorities]string{compress.DefaultName}, [priorities]compress.Params{}
}

func (s *settings) poolOptions() (options []alloc.Option) {
	if s.wipe {
		options = append(options, alloc.Wiped)
	}
	return options
}

// SetWipe chooses whether memory of pages is zeroed as it is freed, before
// anything else can be in it. EBUSY: the device is set up.
func (d *Device) SetWipe(on bool) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	return d.change(func(s *settings) { s.wipe = on })
}

// Wipe reports whether memory of pages is zeroed as it is freed.
func (d *Device) Wipe() bool {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	return d.settings.wipe
}

// reset is what is left of settings by a reset.
func (s *settings) reset() {
	s.defaultAlgorithms()
	s.memLimit, s.backing, s.blocks, s.disksize = 0, "", 0, 0
}

// change changes the settings once a successor would find them so, with cfgMu
// held. The error is ENOMEM, and then nothing has changed; what makes settings
// shorter does not fail.
func (d *Device) change(f func(*settings)) error {
	next := d.settings
	f(&next)
	failpoint.Hit(failpoint.SettingChanged)
	if err := d.state.save(&next); err != nil {
		return err
	}
	d.settings = next
	return nil
}

// codec finds an algorithm by name.
func (d *Device) codec(name string) (compress.Codec, error) {
	for _, c := range d.extra {
		if c.Name() == name {
			return c, nil
		}
	}
	if c, ok := compress.Lookup(name); ok {
		return c, nil
	}
	return nil, fmt.Errorf("%q: %w", name, ErrUnknownCodec)
}

// algorithm is what was chosen for a priority, nil if nothing was. It fails for
// parameters that the algorithm refuses.
func (d *Device) algorithm(priority int) (codec compress.Codec, params compress.Params, err error) {
	name, params := d.settings.algorithm[priority], d.settings.params[priority]
	if name == "" {
		return nil, params, nil
	}
	if codec, err = d.codec(name); err == nil {
		err = codec.Check(params)
	}
	return codec, params, err
}

// openStreams makes the primary algorithm's streams, one for each of n workers.
func (d *Device) openStreams(n int) ([]compress.Stream, error) {
	codec, params, err := d.algorithm(0)
	if err != nil {
		return nil, err
	}
	streams := make([]compress.Stream, 0, n)
	for range n {
		stream, err := codec.NewStream(params)
		if err != nil {
			for _, other := range streams {
				other.Close()
			}
			return nil, err
		}
		streams = append(streams, stream)
	}
	return streams, nil
}

// Algorithm is the name of the primary algorithm.
func (d *Device) Algorithm() string {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	return d.settings.algorithm[0]
}

// RecompAlgorithm is the name of the secondary algorithm of a priority, "" if
// there is none.
func (d *Device) RecompAlgorithm(priority int) string {
	if !secondary(priority) {
		return ""
	}
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	return d.settings.algorithm[priority]
}

// SetRecompAlgorithm chooses the secondary algorithm of a priority, 1 to 3, in
// place of what it had, and drops that one's parameters. EINVAL: no such
// algorithm or priority; EBUSY: the device is set up.
func (d *Device) SetRecompAlgorithm(priority int, name string) error {
	if !secondary(priority) {
		return errPriority(priority, 1)
	}
	return d.choose(priority, name)
}

// lastSecondary is the highest priority that has an algorithm, 0 if only the
// primary one is there.
func (s *settings) lastSecondary() int {
	last := 0
	for priority, name := range s.algorithm {
		if name != "" {
			last = priority
		}
	}
	return last
}

func secondary(priority int) bool { return 0 < priority && priority < priorities }

func errPriority(priority, least int) error {
	return fmt.Errorf("priority %d: accepted are %d to %d: %w", priority, least, priorities-1, syscall.EINVAL)
}

// SetAlgorithm chooses the primary algorithm and drops its parameters. EINVAL:
// no such algorithm; EBUSY: the device is set up.
func (d *Device) SetAlgorithm(name string) error { return d.choose(0, name) }

func (d *Device) choose(priority int, name string) error {
	if _, err := d.codec(name); err != nil {
		return err
	}
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	return d.change(func(s *settings) {
		s.algorithm[priority], s.params[priority] = name, compress.Params{}
	})
}

// ParamsRequest is one write to algorithm_params. It replaces all parameters of
// one priority: that given, else that of the first algorithm called Algo, else
// the primary's.
type ParamsRequest struct {
	Priority    int
	HasPriority bool
	Algo        string          // "" = not given
	Params      compress.Params // Dict comes from DictPath
	DictPath    string          // "" = no dictionary
}

// maxDict is how much of a dictionary any algorithm can use, in bytes; a longer
// file is refused by the algorithm, not cut.
const maxDict = 64 << 10

// SetParams sets an algorithm's parameters; whether the algorithm takes them is
// for SetDisksize to say. EINVAL: priority outside 0..3, an algorithm that is
// not configured (at that priority), an empty or unreadable dictionary; ENOENT:
// no such dictionary file; EBUSY: the device is set up.
func (d *Device) SetParams(r ParamsRequest) error {
	if r.DictPath == "" {
		return d.replaceParams(r, r.Params)
	}
	// A dictionary that cannot be read leaves no parameters. No lock is held
	// meanwhile: the file may be one that this very device answers for.
	err := d.replaceParams(r, compress.Params{})
	if err == nil {
		r.Params.Dict, err = readDict(r.DictPath)
	}
	if err != nil {
		return err
	}
	return d.replaceParams(r, r.Params)
}

// replaceParams makes p the parameters of the priority that r means.
func (d *Device) replaceParams(r ParamsRequest, p compress.Params) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	priority, err := d.settings.find(r)
	if err != nil {
		return err
	}
	return d.change(func(s *settings) { s.params[priority] = p })
}

// find is the priority that a request means.
func (s *settings) find(r ParamsRequest) (int, error) {
	if r.HasPriority && (r.Priority < 0 || r.Priority >= priorities) {
		return 0, errPriority(r.Priority, 0)
	}
	if r.Algo == "" {
		return r.Priority, nil
	}
	return s.named(r.Algo, r.Priority, r.HasPriority, 0)
}

// named is the first priority, from least up, that has the algorithm of that
// name; if one is given, only that will do.
func (s *settings) named(algorithm string, priority int, given bool, least int) (int, error) {
	for i := least; i < priorities; i++ {
		if s.algorithm[i] == algorithm && (!given || i == priority) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("algorithm %q is not configured: %w", algorithm, syscall.EINVAL)
}

func readDict(path string) ([]byte, error) {
	// Raw system calls: opening a file by package os tells Go's poller of it,
	// which stops the runtime for as long as a FUSE server, perhaps this very
	// process, takes to answer.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("dictionary %s: %w", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("dictionary %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("dictionary %s is not a regular file: %w", path, syscall.EINVAL)
	}
	// One byte more than any algorithm takes, so that each refuses a longer one.
	dict := make([]byte, maxDict+1)
	n := 0
	for n < len(dict) {
		k, err := unix.Read(fd, dict[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("dictionary %s: %w", path, err)
		}
		if k == 0 {
			break
		}
		n += k
	}
	if n == 0 {
		return nil, fmt.Errorf("dictionary %s is empty: %w", path, syscall.EINVAL)
	}
	return dict[:n], nil
}

// SetMemLimit bounds the pool to bytes, rounded up to pages; 0 takes the bound
// away. Stores that need memory beyond it fail with EIO from then on. ENOMEM: it
// could not be noted for a successor, nothing has changed. EBUSY: a snapshot is
// being restored.
func (d *Device) SetMemLimit(bytes uint64) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if d.restoring {
		return ErrRestoring
	}
	pages := bytes / PageSize
	if bytes%PageSize != 0 {
		pages++
	}
	err := d.change(func(s *settings) { s.memLimit = pages })
	if err == nil {
		d.memLimit.Store(pages)
	}
	return err
}

// ResetMemUsedMax sets the highest use seen to the present one.
func (d *Device) ResetMemUsedMax() {
	_ = d.withLive(func(l *live) error {
		l.maxPages.Store(l.pool.Pages())
		return nil
	})
}
