// Package ctldir reads and writes the attributes of a zram control directory: that of a uzram, or /sys/block/zramN.
//
// A write is one system call, because to these files each write is one complete command. What goes wrong is told in one
// plain sentence for the attribute and error at hand (errors.go), with the errno behind it for programs.
package ctldir
