"""`qcrbox bridge`: a loopback address behind which a hub's registry looks like one without sign-in.

Programs on a person's own machine that know nothing of tokens and hubs speak REST to it, and open windows of sessions
at local ports. `upstream` holds the registry and the token, `callers` decides who on this machine is listened to,
`forwarding` is REST, `windows` the sessions' displays, `server` the ports.
"""
