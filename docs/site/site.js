// Tables that are wider than their place are scrolled by key as well as by hand.
new MutationObserver(() => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])"))
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
}).observe(document.body, { childList: true, subtree: true });
