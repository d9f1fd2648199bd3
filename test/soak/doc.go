// Package soak uses devices of the engine in every way at once, for as long as
// it is told to, and holds every byte that it reads against what may be there.
//
//	workers ×n ── sessions: open, some requests, close ──┐
//	landlord of each disk ── resets, other algorithm ────┤
//	verbs ── compact, recompress, write back, check, ... ┼──> store.Device ×n ──> a file each
//	prober ── what must be refused while open ───────────┤
//	weather ── memory limits, failing codecs, shortage ──┘
//
//	go test ./test/soak -run TestSoak -timeout 0 -v -args -soak.time=10m
//
// A disk has two parts. In the first all workers write all pages, in units of a
// cell (256 bytes), whose bytes follow from seed, page, cell and generation. A
// shadow keeps for each page the writes that a read may find: those that ran
// while it did, and those before it that no later one had replaced for sure. In
// the second part each worker has a strip to itself, where he does requests at
// any byte and knows what must be there; neighbours share the pages at the ends.
//
// An error is accepted only for a reason that held while the request ran. When a
// disk is at rest (before some resets, and at the end) all of it is read, checked,
// and its counts are compared with the requests that were made.
//
// Seeds make the requests of each worker the same again, not their interleaving.
package soak
