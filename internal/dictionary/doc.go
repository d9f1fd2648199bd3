// Package dictionary makes dictionaries for the page codecs, and says what they are worth.
//
//	Source ──> Take ──> Sample ──> Split ──> trained on ──> Content ──> WithTables (zstd)
//	(device, file)                   └────── held out ───────────────────> Judge
//
// A dictionary is text that the codec may refer to as if it stood before every page. It saves what pages have in common
// and a page alone says once: what comes twice in a page is found without it. So content is chosen by one measure, the
// bytes of other pages that a piece stands for and that no earlier part of their own page does.
//
// The judgement is on pages that were not trained on, nor lie beside one that was, nor are a copy of one. Everything but
// the timing depends on the input alone: the same pages give the same dictionary.
package dictionary
