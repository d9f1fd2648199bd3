package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"uzram/internal/status"
	"uzram/test/harness"
)

// TestCheck: uzram check finds nothing to complain of while fio writes, discards and verifies, and says how long it held
// that up.
func TestCheck(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "256M", Loop: true})
	load := harness.Start(t, "fio", "--name=load", "--filename="+dev.Loop, "--rw=randtrimwrite", "--bs=16k", "--size=128M",
		"--ioengine=libaio", "--iodepth=8", "--direct=1", "--time_based", "--runtime=4", "--refill_buffers", "--buffer_compress_percentage=60")
	checks := 0
	for ; load.Running(); checks++ {
		res := harness.Uzram(t, "check", "--json", dev.Dir)
		var r status.Check
		if err := json.Unmarshal([]byte(res.Stdout), &r); err != nil || res.Err != nil || len(r.Findings) > 0 {
			t.Fatalf("check: %v, %v: %s%s", res.Err, err, res.Stdout, res.Stderr)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if code, stderr := load.Wait(t, time.Minute); code != 0 {
		t.Fatalf("fio ended with %d: %s", code, stderr)
	}
	if checks < 3 {
		t.Errorf("only %d checks beside four seconds of I/O", checks)
	}
	res := harness.Uzram(t, "check", dev.Dir)
	if res.Err != nil || !strings.HasPrefix(res.Stdout, "checked ") || res.Stderr != "" {
		t.Errorf("check at rest: %v: %s%s", res.Err, res.Stdout, res.Stderr)
	}
}

// TestFreeHint: a hint through debug/control frees pages, as the kernel's swap does to its own zram.
func TestFreeHint(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "4M"})
	harness.Run(t, "sh", "-c", "head -c 64K /dev/urandom | dd of="+dev.Image+" bs=64K iflag=fullblock conv=notrunc status=none")
	if n := dev.MM().Orig; n != 64<<10 {
		t.Fatalf("%d bytes stored, want 64 KiB", n)
	}
	dev.Set("debug/control", "free-hint 0")
	dev.Set("debug/control", "free-hint 4 4")
	dev.Set("debug/control", "free-hint 15 100000000000")
	if n := dev.MM().Orig; n != 10*page {
		t.Errorf("%d bytes stored after hints for six of sixteen pages", n)
	}
	if n := dev.Numbers("io_stat")[3]; n != 1+4+(4*mib/page-15) {
		t.Errorf("notify_free is %d, want one for each page of the disk that a hint named", n)
	}
}
