package store

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"uzram/compress"
	"uzram/compress/codectest"
)

var codecFlag = flag.String("store.codec", "lz4", "lz4, waiting or slow: how tests' codecs work unless they say otherwise; see codectest")

// chosen is an algorithm's name as -store.codec has it wrapped.
func chosen(t testing.TB, algorithm string) string {
	t.Helper()
	switch *codecFlag {
	case "lz4":
		return algorithm
	case "waiting", "slow":
		return algorithm + "-" + *codecFlag
	}
	t.Fatalf("-store.codec=%s: want lz4, waiting or slow", *codecFlag)
	return ""
}

// wrappedCodecs is every algorithm waiting and slow.
func wrappedCodecs() (codecs []compress.Codec) {
	for _, name := range compress.Names() {
		inner, _ := compress.Lookup(name)
		codecs = append(codecs, codectest.Waiting(inner), codectest.Slow(inner, rand.Uint64()))
	}
	return codecs
}

// newFailingDevice is newDevice on a codec of whose calls 50 in 1000 fail.
func newFailingDevice(t testing.TB, n, pages int) (*Device, *Workers, *codectest.Failing) {
	t.Helper()
	inner, _ := compress.Lookup("lz4")
	seed := rand.Uint64()
	t.Logf("codec's seed %d", seed)
	codec := codectest.NewFailing(inner, seed)
	d, w := newDeviceOn(t, n, pages, codec.Name(), codec)
	codec.SetRate(50)
	return d, w, codec
}

func everyAlgorithm(t *testing.T, f func(t *testing.T, name string)) {
	for _, name := range compress.Names() {
		name = chosen(t, name)
		t.Run(name, func(t *testing.T) { f(t, name) })
	}
}

// An unknown codec among a device's own is an unknown algorithm to all others.
func TestCodecsOfOneDevice(t *testing.T) {
	w := newWorkers(t, 1)
	inner, _ := compress.Lookup("lz4")
	own, other := NewDevice(w, codectest.Waiting(inner)), NewDevice(w)
	if err := own.SetAlgorithm("lz4-waiting"); err != nil {
		t.Error(err)
	}
	if err := other.SetAlgorithm("lz4-waiting"); err == nil {
		t.Error(fmt.Sprint("a device knows the codec of another: ", other.Algorithm()))
	}
}

// excuse is nil for an error that a failing codec accounts for, if there is one.
func excuse(err error, failing bool) error {
	if failing && (errors.Is(err, ErrCodec) || errors.Is(err, ErrCorruptPage)) {
		return nil
	}
	return err
}
