//! Conditions of SQL as filters of the language, where the two mean the same.
//!
//! SQL knows three answers and the language two: of a condition there is a filter for the rows in which it is true and
//! another for those in which it is false; in the rest it is null. Only columns with a type of their own are asked
//! about: there every row has one value or none.

use std::ops::Bound;

use cordwood_engine::SearchedSource;
use cordwood_event::{EventId, Level, Number, Timestamp};
use cordwood_query::{
    Clause, Filter, Range, RegexTest, Target, Test, TimePoint, TimeTest, TimeUnit,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Like, Operator, expr::InList};

use crate::columns::{Columns, Content};

/// How a condition is to turn out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    True,
    False,
}

impl Outcome {
    fn other(self) -> Outcome {
        match self {
            Outcome::True => Outcome::False,
            Outcome::False => Outcome::True,
        }
    }
}

/// What conditions are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pushdown<'a> {
    pub(crate) columns: &'a Columns,
    /// The sources of the table.
    pub(crate) sources: &'a [SearchedSource],
}

impl Pushdown<'_> {
    /// The filter for exactly those rows in which the condition is true; `None` where the language cannot say it.
    pub(crate) fn filter(&self, condition: &Expr) -> Option<Filter> {
        self.rows(condition, Outcome::True)
    }

    fn rows(&self, condition: &Expr, outcome: Outcome) -> Option<Filter> {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::And => self.both([left, right], outcome),
                Operator::Or => self.either([left, right], outcome),
                _ => self.comparison(left, *op, right, outcome),
            },
            Expr::Not(inner) => self.rows(inner, outcome.other()),
            Expr::IsNull(inner) => self.presence(inner, outcome.other()),
            Expr::IsNotNull(inner) => self.presence(inner, outcome),
            Expr::IsTrue(inner) => self.is(inner, Outcome::True, outcome),
            Expr::IsFalse(inner) => self.is(inner, Outcome::False, outcome),
            Expr::IsNotTrue(inner) => self.is(inner, Outcome::True, outcome.other()),
            Expr::IsNotFalse(inner) => self.is(inner, Outcome::False, outcome.other()),
            Expr::InList(list) => self.in_list(list, outcome),
            Expr::Between(between) => self.between(between, outcome),
            Expr::Like(like) => self.like(like, outcome),
            Expr::Column(_) => {
                let is_true = Expr::Literal(ScalarValue::Boolean(Some(true)), None);
                self.comparison(condition, Operator::Eq, &is_true, outcome)
            }
            _ => None,
        }
    }

    fn both(&self, members: [&Expr; 2], outcome: Outcome) -> Option<Filter> {
        let members = members.map(|member| self.rows(member, outcome));
        let members: Option<Vec<Filter>> = members.into_iter().collect();
        Some(match outcome {
            Outcome::True => Filter::and(members?),
            Outcome::False => either_of(members?),
        })
    }

    fn either(&self, members: [&Expr; 2], outcome: Outcome) -> Option<Filter> {
        let members = members.map(|member| self.rows(member, outcome));
        let members: Option<Vec<Filter>> = members.into_iter().collect();
        Some(match outcome {
            Outcome::True => either_of(members?),
            Outcome::False => Filter::and(members?),
        })
    }

    /// `inner IS TRUE`, which is never null itself.
    fn is(&self, inner: &Expr, wanted: Outcome, outcome: Outcome) -> Option<Filter> {
        let rows = self.rows(inner, wanted)?;
        Some(match outcome {
            Outcome::True => rows,
            Outcome::False => rows.negated(),
        })
    }

    fn presence(&self, inner: &Expr, outcome: Outcome) -> Option<Filter> {
        let (target, content) = self.column(inner)?;
        let is_always = matches!(content, Content::Time | Content::Source | Content::Id);
        let present = match is_always {
            true => Filter::All,
            false => clause(target, Test::Present),
        };
        Some(match outcome {
            Outcome::True => present,
            Outcome::False => present.negated(),
        })
    }

    /// The target of a column that is asked about as it stands.
    pub(crate) fn column(&self, expression: &Expr) -> Option<(Target, Content)> {
        let Expr::Column(column) = expression else {
            return None;
        };
        let column = self.columns.named(&column.name)?;
        let target = match column.content {
            Content::Time => Target::Time,
            Content::Source => Target::Source,
            Content::Id => Target::Id,
            Content::Level | Content::MixedLevel => Target::Level,
            Content::Int | Content::Float | Content::Bool | Content::Text => column.target()?,
            Content::Event | Content::Mixed => return None,
        };
        // A name that the language has for something else cannot be asked about as a field.
        let is_reserved =
            matches!(&target, Target::Field(_)) && Target::named(&column.name) != target;
        (!is_reserved).then_some((target, column.content))
    }

    fn comparison(
        &self,
        left: &Expr,
        operator: Operator,
        right: &Expr,
        outcome: Outcome,
    ) -> Option<Filter> {
        let (column, operator, literal) = match (left, right) {
            (_, Expr::Literal(literal, _)) => (left, operator, literal),
            (Expr::Literal(literal, _), _) => (right, operator.swap()?, literal),
            _ => return None,
        };
        let (target, content) = self.column(column)?;
        let is_equal = || self.equal(&target, content, literal);
        let (holds, is_negated) = match operator {
            Operator::Eq => (is_equal()?, false),
            Operator::NotEq => (is_equal()?, true),
            Operator::RegexMatch => (matching(&target, content, literal)?, false),
            Operator::RegexNotMatch => (matching(&target, content, literal)?, true),
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                (ordered(&target, content, operator, literal)?, false)
            }
            _ => return None,
        };
        let wanted = if is_negated { outcome.other() } else { outcome };
        Some(decided(target, holds, wanted))
    }

    /// The rows whose value equals the literal.
    fn equal(&self, target: &Target, content: Content, literal: &ScalarValue) -> Option<Filter> {
        let test = match content {
            Content::Int | Content::Float => Test::Equals(number_text(content, literal)?),
            Content::Bool => match literal {
                ScalarValue::Boolean(Some(boolean)) => Test::Equals(boolean.to_string()),
                _ => return None,
            },
            Content::Text => Test::Equals(text_of(literal)?.to_owned()),
            Content::Level | Content::MixedLevel => {
                Test::Equals(level_of(literal)?.name().to_owned())
            }
            Content::Time => {
                let point = Bound::Included(time_of(literal)?);
                Test::Time(TimeTest::Between(point, point))
            }
            Content::Id => Test::Id(
                text_of(literal)?
                    .parse::<EventId>()
                    .ok()
                    .filter(|id| text_of(literal).is_some_and(|text| id.to_string() == text))?,
            ),
            Content::Source => return self.of_source(text_of(literal)?),
            Content::Event | Content::Mixed => return None,
        };
        Some(clause(target.clone(), test))
    }

    /// The language finds a source by its id too, where SQL compares its name.
    fn of_source(&self, name: &str) -> Option<Filter> {
        let test = clause(Target::Source, Test::Equals(name.to_owned()));
        let is_by_name = |source: &SearchedSource| {
            test.admits_source(source.id, &source.name) == (source.name == name)
        };
        self.sources.iter().all(is_by_name).then_some(test)
    }

    fn in_list(&self, list: &InList, outcome: Outcome) -> Option<Filter> {
        let (target, content) = self.column(&list.expr)?;
        let members = list.list.iter().map(|member| match member {
            Expr::Literal(literal, _) => self.equal(&target, content, literal),
            _ => None,
        });
        let members: Vec<Filter> = members.collect::<Option<_>>()?;
        let wanted = if list.negated {
            outcome.other()
        } else {
            outcome
        };
        (!members.is_empty()).then(|| decided(target, any_of(members), wanted))
    }

    fn between(&self, between: &Between, outcome: Outcome) -> Option<Filter> {
        let (target, content) = self.column(&between.expr)?;
        let end = |operator, end: &Expr| match end {
            Expr::Literal(literal, _) => ordered(&target, content, operator, literal),
            _ => None,
        };
        let low = end(Operator::GtEq, &between.low)?;
        let high = end(Operator::LtEq, &between.high)?;
        let wanted = if between.negated {
            outcome.other()
        } else {
            outcome
        };
        Some(decided(target, Filter::and(vec![low, high]), wanted))
    }

    fn like(&self, like: &Like, outcome: Outcome) -> Option<Filter> {
        let (target, content) = self.column(&like.expr)?;
        let Expr::Literal(pattern, _) = &*like.pattern else {
            return None;
        };
        let is_plain = like.escape_char.is_none() && !like.case_insensitive;
        if content != Content::Text || !is_plain {
            return None;
        }
        let regex = RegexTest::new(&regex_of_like(text_of(pattern)?), false).ok()?;
        let wanted = if like.negated {
            outcome.other()
        } else {
            outcome
        };
        Some(decided(
            target.clone(),
            clause(target, Test::Regex(regex)),
            wanted,
        ))
    }

    /// A filter that finds all rows in which the condition is true, and others perhaps.
    pub(crate) fn wider_filter(&self, condition: &Expr) -> Option<Filter> {
        match condition {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::And,
                right,
            }) => {
                let members = [left, right].into_iter();
                let members: Vec<Filter> = members
                    .filter_map(|member| self.wider_filter(member))
                    .collect();
                (!members.is_empty()).then(|| Filter::and(members))
            }
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Or,
                right,
            }) => {
                let (left, right) = (self.wider_filter(left)?, self.wider_filter(right)?);
                Some(either_of(vec![left, right]))
            }
            Expr::Like(like)
                if like.case_insensitive && !like.negated && like.escape_char.is_none() =>
            {
                self.like_ignoring_case(like)
            }
            _ => self.filter(condition),
        }
    }

    /// The language folds more letters than SQL may.
    fn like_ignoring_case(&self, like: &Like) -> Option<Filter> {
        let (target, content) = self.column(&like.expr)?;
        let Expr::Literal(pattern, _) = &*like.pattern else {
            return None;
        };
        let regex = RegexTest::new(&regex_of_like(text_of(pattern)?), true).ok()?;
        (content == Content::Text).then(|| clause(target, Test::Regex(regex)))
    }
}

/// The rows for which `holds`, or those that have a value for which it does not.
fn decided(target: Target, holds: Filter, outcome: Outcome) -> Filter {
    match outcome {
        Outcome::True => holds,
        Outcome::False => {
            let is_always = matches!(target, Target::Time | Target::Source | Target::Id);
            let present = match is_always {
                true => Filter::All,
                false => clause(target, Test::Present),
            };
            Filter::and(vec![present, holds.negated()])
        }
    }
}

fn clause(target: Target, test: Test) -> Filter {
    Filter::Clause(Clause { target, test })
}

/// Either of two or more; what holds for every row makes the whole hold.
fn either_of(members: Vec<Filter>) -> Filter {
    match members.contains(&Filter::All) {
        true => Filter::All,
        false => Filter::or(members),
    }
}

/// One clause of alternatives where the members are clauses on one target, which is cheaper than an OR of them.
fn any_of(members: Vec<Filter>) -> Filter {
    let clauses: Option<Vec<Clause>> = members
        .iter()
        .map(|member| match member {
            Filter::Clause(clause) => Some(clause.clone()),
            _ => None,
        })
        .collect();
    match clauses {
        Some(clauses) if clauses.len() > 1 => {
            let target = clauses.first().map(|clause| clause.target.clone());
            let tests = clauses.into_iter().map(|clause| clause.test).collect();
            target.map_or(Filter::All, |target| clause(target, Test::AnyOf(tests)))
        }
        _ => either_of(members),
    }
}

/// The rows whose value lies to that side of the literal.
fn ordered(
    target: &Target,
    content: Content,
    operator: Operator,
    literal: &ScalarValue,
) -> Option<Filter> {
    let test = match content {
        Content::Time => {
            let (lower, upper) = ends(operator, time_of(literal)?)?;
            Test::Time(TimeTest::Between(lower, upper))
        }
        Content::Int | Content::Float => {
            let (lower, upper) = ends(operator, number_text(content, literal)?)?;
            Test::Range(Range::new(lower, upper)?)
        }
        Content::Text => {
            let text = text_of(literal)?;
            // A range whose end is a number is about numbers, not about the order of texts.
            if Number::parse(text).is_some() {
                return None;
            }
            let (lower, upper) = ends(operator, text.to_owned())?;
            Test::Range(Range::new(lower, upper)?)
        }
        Content::Bool
        | Content::Level
        | Content::MixedLevel
        | Content::Source
        | Content::Id
        | Content::Event
        | Content::Mixed => return None,
    };
    Some(clause(target.clone(), test))
}

fn ends<T>(operator: Operator, end: T) -> Option<(Bound<T>, Bound<T>)> {
    Some(match operator {
        Operator::Lt => (Bound::Unbounded, Bound::Excluded(end)),
        Operator::LtEq => (Bound::Unbounded, Bound::Included(end)),
        Operator::Gt => (Bound::Excluded(end), Bound::Unbounded),
        Operator::GtEq => (Bound::Included(end), Bound::Unbounded),
        _ => return None,
    })
}

fn matching(target: &Target, content: Content, literal: &ScalarValue) -> Option<Filter> {
    let regex = RegexTest::new(text_of(literal)?, false).ok()?;
    (content == Content::Text).then(|| clause(target.clone(), Test::Regex(regex)))
}

/// A number as the language reads it.
///
/// A column of floats compares as floats do, where the language compares exactly: with a literal up to 2^53 the two
/// agree on every integer among them too.
fn number_text(content: Content, literal: &ScalarValue) -> Option<String> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match (content, literal) {
        (Content::Int, ScalarValue::Int64(Some(integer))) => Some(integer.to_string()),
        (Content::Float, ScalarValue::Float64(Some(float)))
            if float.abs() < EXACT_MAX && !(*float == 0.0 && float.is_sign_negative()) =>
        {
            // JSON writes every float that is not whole with a fraction, and reads back the same.
            Some(format!("{float:?}"))
        }
        _ => None,
    }
}

fn text_of(literal: &ScalarValue) -> Option<&str> {
    literal.try_as_str().flatten()
}

/// A level by the name it has in a column; other spellings of it are texts that no column holds.
fn level_of(literal: &ScalarValue) -> Option<Level> {
    let text = text_of(literal)?;
    Level::parse(text).filter(|level| level.name() == text)
}

fn time_of(literal: &ScalarValue) -> Option<TimePoint> {
    let ScalarValue::TimestampNanosecond(Some(nanos), _) = literal else {
        return None;
    };
    let instant = Timestamp::from_nanos(*nanos);
    Some(TimePoint::Instant(instant, TimeUnit::Decimals(9)))
}

/// `%` and `_` as a regular expression, with `\` before what stands for itself.
fn regex_of_like(pattern: &str) -> String {
    let mut regex = String::from(r"(?s)\A");
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' => {
                let literal = characters.next().unwrap_or('\\');
                push_literal(&mut regex, literal);
            }
            literal => push_literal(&mut regex, literal),
        }
    }
    regex.push_str(r"\z");
    regex
}

fn push_literal(regex: &mut String, literal: char) {
    if literal.is_ascii_punctuation() {
        regex.push('\\');
    }
    regex.push(literal);
}
