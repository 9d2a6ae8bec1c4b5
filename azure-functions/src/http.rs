//! Requests as the Functions host proxies them, and the answers to them.
