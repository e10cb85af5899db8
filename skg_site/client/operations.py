"""Every method that both clients have."""

from . import fact_calls, file_calls, key_calls, question_calls, rule_calls
from .methods import AllPages, ManySteps, OneCall


class Operations:
    add = OneCall(fact_calls.add)
    triples = AllPages(fact_calls.triples)
    triples_page = OneCall(fact_calls.triples_page)
    fact = OneCall(fact_calls.fact)
    change = OneCall(fact_calls.change)
    delete = OneCall(fact_calls.delete)
    delete_matching = ManySteps(fact_calls.delete_matching)
    explain = OneCall(fact_calls.explain)
    stats = OneCall(fact_calls.stats)

    imports = AllPages(file_calls.imports)
    import_of = OneCall(file_calls.import_of)
    undo_import = ManySteps(file_calls.undo_import)

    query = OneCall(question_calls.query)
    patterns = OneCall(question_calls.patterns)
    all_answers = AllPages(question_calls.all_answers)
    paths = OneCall(question_calls.paths)
    neighbours = OneCall(question_calls.neighbours)
    terms = OneCall(question_calls.terms)
    predicates = AllPages(question_calls.predicates)

    rules = AllPages(rule_calls.rules)
    rule = OneCall(rule_calls.rule)
    add_rules = OneCall(rule_calls.add_rules)
    change_rule = OneCall(rule_calls.change_rule)
    delete_rule = OneCall(rule_calls.delete_rule)
    recurse = ManySteps(rule_calls.recurse)
    run = OneCall(rule_calls.run)
    cancel = OneCall(rule_calls.cancel)

    key = OneCall(key_calls.key)
    keys = AllPages(key_calls.keys)
    issue_key = OneCall(key_calls.issue_key)
    rotate_key = OneCall(key_calls.rotate_key)
    revoke_key = OneCall(key_calls.revoke_key)
    health = OneCall(key_calls.health)
    ready = OneCall(key_calls.ready)
