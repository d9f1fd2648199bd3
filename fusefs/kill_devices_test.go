//go:build !race

package fusefs

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Devices that were asked for, or to be removed, when the server was killed come
// and go exactly once, and the others are as they were.
func TestAdopt_DevicesComeAndGo(t *testing.T) {
	for _, loop := range []bool{false, true} {
		for _, fault := range []string{"hold", "mute"} {
			t.Run(fmt.Sprintf("%s, loop %v", fault, loop), func(t *testing.T) {
				hook := filepath.Join(t.TempDir(), "told")
				k := kept(t, serverConfig{Dir: t.TempDir(), Multi: true, Loop: loop, Hook: hook, Workers: 6}, 2)
				for _, n := range []string{"0", "1", "2"} {
					k.add(n)
					k.set("block/zram"+n+"/disksize", "1M")
				}
				image := k.open("dev/zram1", unix.O_RDWR)
				defer unix.Close(image)
				if err := pwrite(image, 3, 1); err != nil {
					t.Fatal(err)
				}
				status := k.open("block/zram2/debug/status", unix.O_RDONLY)
				defer unix.Close(status)
				adding, removing := k.open("class/zram-control/hot_add", unix.O_RDONLY), k.open("class/zram-control/hot_remove", unix.O_WRONLY)
				defer unix.Close(adding)
				defer unix.Close(removing)
				if fault == "mute" && loop {
					fault = "hold" // a server that cannot answer cannot attach
				}
				k.command(fault)
				number := make([]byte, 10)
				flights := []<-chan error{
					inFlight(func() error { n, err := unix.Pread(adding, number, 0); number = number[:n]; return err }),
					inFlight(func() error { _, err := unix.Write(removing, []byte("0")); return err }),
					inFlight(func() error { return pwrite(image, 4, 2) }),
				}
				k.taken(len(flights))
				k.kill()
				for i, ended := range flights {
					if err := <-ended; err != nil {
						t.Errorf("request %d: %v", i, err)
					}
				}
				want := "block: zram1 zram2 zram3"
				if string(number) == "0\n" {
					want = "block: zram0 zram1 zram2" // it came when the other had gone
				}
				if got := "block: " + k.names("block"); got != want {
					t.Errorf("%s, hot_add has %q; want %s", got, number, want)
				}
				checkPage(t, image, 3, 1)
				checkPage(t, image, 4, 2)
				if got := pread(t, status, 8192, 0); !strings.Contains(got, `"disksize":1048576`) {
					t.Errorf("status of zram2: %.300q", got)
				}
				k.kill() // once more, with nothing under way
				if got := "block: " + k.names("block"); got != want {
					t.Errorf("then %s; want %s", got, want)
				}
				if err := k.remove("1"); err != unix.EBUSY {
					t.Errorf("hot_remove of a device with its image open: %v", err)
				}
			})
		}
	}
}
